//! What a terminal of few columns shows.

use crate::folder::Folder;
use std::process::Command;

/// What a program writes on a terminal of so many columns, line by line, without the codes that move
/// and colour. `None` where there is no `script`, which makes such a terminal.
fn screen(folder: &Folder, line: &str, columns: usize) -> Option<Vec<String>> {
    let program = folder.command(line);
    let mut words = vec![program.get_program()];
    words.extend(program.get_args());
    let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
    let command = format!("stty cols {columns} rows 50; exec {}", words.join(" "));
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &command, "/dev/null"]).env("TERM", "xterm");
    let output = script.current_dir(folder.path("")).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{line}: {text}");
    let plain = |line: &str| {
        let mut text = String::new();
        let mut rest = line;
        while let Some((before, code)) = rest.split_once('\u{1b}') {
            text += before;
            rest =
                code.trim_start_matches('[').trim_start_matches(|c: char| !c.is_ascii_alphabetic());
            rest = rest.get(1..).unwrap_or("");
        }
        text + rest
    };
    Some(text.split(['\n', '\r']).map(plain).filter(|line| !line.is_empty()).collect())
}

#[test]
fn everything_fits() {
    let folder = Folder::new();
    let data = "--data data.csv --target class --drop z --hidden 8 --epochs 3";
    for columns in [80, 60] {
        for line in [
            "classifier --help",
            "regression --help",
            "classifier --explain adamw",
            "classifier --explain schedule_free_adamw",
            &format!("classifier {data}"),
            &format!("classifier {data} --print-plan --ema 0.9 --accumulate 2"),
            &format!("classifier {data} --find-lr"),
            "regression --data data.csv --target z --hidden 8 --epochs 3",
        ] {
            let Some(lines) = screen(&folder, line, columns) else {
                return eprintln!("ignored: there is no `script`");
            };
            for text in &lines {
                let letters = text.chars().count();
                // What has no space cannot be broken.
                let word = !text.trim().contains(' ');
                assert!(letters <= columns || word, "{line} in {columns}: {letters}: {text}");
            }
        }
    }
}

#[test]
fn epochs_stay_above_a_bar_of_twenty_cells() {
    let folder = Folder::new();
    let line = "classifier --hidden 64,64 --epochs 3 --batch-size 8";
    let Some(lines) = screen(&folder, line, 80) else {
        return eprintln!("ignored: there is no `script`");
    };
    for epoch in 1..=3 {
        let begin = format!("epoch {epoch}/3  loss ");
        assert_eq!(lines.iter().filter(|line| line.starts_with(&begin)).count(), 1, "{lines:#?}");
    }
    let bars: Vec<&String> = lines.iter().filter(|line| line.ends_with(" left")).collect();
    assert!(!bars.is_empty(), "{lines:#?}");
    for bar in bars {
        let cells = bar.chars().filter(|cell| "█░▏▎▍▌▋▊▉".contains(*cell)).count();
        assert!(cells >= 20 && bar.chars().count() <= 80, "{bar}");
    }
}
