//! Tables as people write them.

use crate::folder::Folder;

const LINE: &str = "regression --data table.csv --hidden 8 --batch-size 16";

/// The table with something done to it line by line.
fn changed(folder: &Folder, change: impl Fn(usize, &str) -> String) -> String {
    let text = std::fs::read_to_string(folder.path("data.csv")).unwrap();
    text.lines().enumerate().map(|(number, line)| change(number, line) + "\n").collect()
}

/// The result of a run over a table, and what it says before the epochs.
fn run(folder: &Folder, table: &str, flags: &str) -> (serde_json::Value, String) {
    folder.write("table.csv", table);
    let target = if flags.contains("--target") { "" } else { "--target z" };
    let line = format!("{LINE} --epochs 2 {target} {flags}");
    let json = folder.json(&line);
    let text = String::from_utf8(folder.run(&line).stdout).unwrap();
    let notes = text.lines().take_while(|line| !line.starts_with("epoch ")).collect::<Vec<_>>();
    (json["test_loss"].clone(), notes.join("\n"))
}

#[test]
fn a_table_is_the_same_however_it_is_written_down() {
    let folder = Folder::new();
    let plain = changed(&folder, |_, line| line.into());
    let (expected, notes) = run(&folder, &plain, "");
    assert_eq!(notes, "");
    let with = |separator: &str| changed(&folder, |_, line| line.replace(',', separator));
    let comma = changed(&folder, |_, line| line.replace(',', ";").replace('.', ","));
    let index = changed(&folder, |number, line| match number {
        0 => format!(",{line}"),
        number => format!("{},{line}", number - 1),
    });
    let comments = changed(&folder, |number, line| match number {
        0 | 50 => format!("# a comment\n#another, of two\n{line}"),
        _ => line.into(),
    });
    for (table, flags, note) in [
        (with(";"), "", "separated by `;`"),
        (with("\t"), "", "separated by tabs"),
        (with("|"), "", "separated by `|`"),
        (with(":"), "--separator :", ""),
        (with("\t"), "--separator tab", ""),
        (comma, "", "`x`: the commas are decimal"),
        (index, "", "left out `1`: it has no name, and numbers the rows"),
        (comments, "", ""),
        (format!("\u{feff}{plain}"), "", ""),
        (plain.replace('\n', "\r\n"), "", ""),
    ] {
        let (loss, notes) = run(&folder, &table, flags);
        assert_eq!(loss, expected, "{flags}: {notes}");
        assert!(notes.contains(note) && notes.is_empty() == note.is_empty(), "{note}: {notes}");
    }
    let rows = plain.split_once('\n').unwrap().1;
    let (loss, _) = run(&folder, rows, "--no-header --target 5");
    assert_eq!(loss, expected);
}

#[test]
fn missing_values_are_known_by_many_names_or_by_those_given() {
    let folder = Folder::new();
    let with = |mark: &str| {
        changed(&folder, |number, line| match number {
            3 | 77 => line.split_once(',').map(|(_, rest)| format!("{mark},{rest}")).unwrap(),
            _ => line.into(),
        })
    };
    let (expected, notes) = run(&folder, &with(""), "");
    assert_eq!(notes, "dropped 2 rows with missing values: 2 in `x`");
    let (_, notes) = run(&folder, &with("-"), "");
    assert_eq!(notes, "dropped 2 rows with missing values: 2 in `x` (-)");
    for mark in ["N/A", "NULL", "na", "None", "-", ".", "#N/A", "NA", "NaN", "?", "\"\""] {
        assert_eq!(run(&folder, &with(mark), "").0, expected, "{mark}");
    }
    assert_eq!(run(&folder, &with("-999.0"), "--missing -999,unknown").0, expected);
    assert_eq!(run(&folder, &with("unknown"), "--missing -999,unknown").0, expected);

    let (loss, notes) = run(&folder, &with("unknown"), "");
    assert_ne!(loss, expected);
    assert!(notes.contains("left out `x`: text, because of `unknown` in line 4"), "{notes}");
    assert!(notes.contains("--missing"), "{notes}");
}

#[test]
fn a_layout_is_kept_in_a_save() {
    let folder = Folder::new();
    let table = changed(&folder, |number, line| match number {
        9 => format!("void{}", line.replace(',', ":").trim_start_matches(|c| c != ':')),
        _ => line.replace(',', ":"),
    });
    folder.write("table.csv", table);
    let how = "--separator : --missing void --epochs 1 --save run.bpk";
    folder.json(&format!("{LINE} --target z {how}"));
    folder.json("regression --resume run.bpk --epochs 2");
    folder.refused("regression --resume run.bpk --epochs 2 --missing NA", "not that of the save");
}

#[test]
fn classes_are_the_same_in_any_spelling() {
    let folder = Folder::new();
    let row = |i: u32| {
        format!(
            "{},{}\n",
            i % 2,
            [["0", "1"], ["0.0", "1.0"]][(i / 2 % 2) as usize][(i % 2) as usize]
        )
    };
    folder.write("rows.csv", format!("x,class\n{}", (0..80).map(row).collect::<String>()));
    let line = "classifier --data rows.csv --target class --epochs 9 --hidden 8 --batch-size 8";
    let json = folder.json(line);
    assert_eq!(json["accuracy"], 1.0, "{json}");
    assert_eq!(json["confusion"].as_object().unwrap().len(), 2, "{json}");
}
