//! What fits a terminal.

use std::io::{stderr, stdout};
use terminal_size::{Height, Width, terminal_size_of};

/// How many columns the terminal has to which the standard output goes; `None` if it goes elsewhere.
pub fn width() -> Option<usize> {
    terminal_size_of(stdout()).map(columns)
}

/// The same of the standard error.
pub fn width_of_errors() -> Option<usize> {
    terminal_size_of(stderr()).map(columns)
}

fn columns((Width(columns), _): (Width, Height)) -> usize {
    columns.into()
}

/// The text for the terminal, if there is one: see [`fit`].
pub fn fitted(text: impl std::fmt::Display) -> String {
    fit(&text.to_string(), width().unwrap_or(usize::MAX))
}

/// Breaks the lines that are longer than this, at spaces. What goes on in the next line stands below
/// the last part of the line that two spaces or more set off, if that begins in its first half.
pub fn fit(text: &str, width: usize) -> String {
    text.split('\n').map(|line| fit_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn fit_line(line: &str, width: usize) -> String {
    let letters: Vec<char> = line.chars().collect();
    if letters.len() <= width {
        return line.into();
    }
    let set_off = |at: &usize| letters[at - 2..*at] == [' ', ' '] && letters[*at] != ' ';
    let indent = (2..=width / 2).rev().find(set_off).unwrap_or(0);
    let (mut text, mut rest) = (String::new(), &letters[..]);
    let mut begin = 0;
    while begin + rest.len() > width {
        let space = |at: &usize| rest[*at] == ' ' && rest[..*at].iter().any(|c| *c != ' ');
        let least = if begin == 0 { indent } else { 0 };
        let fits = (least..=width.saturating_sub(begin)).rev().find(space);
        let Some(at) = fits.or_else(|| (least..rest.len()).find(space)) else { break };
        text.extend(&rest[..at]);
        text.truncate(text.trim_end().len());
        text += &format!("\n{:indent$}", "");
        let word = rest[at..].iter().position(|c| *c != ' ');
        rest = word.map_or(&[], |word| &rest[at + word..]);
        begin = indent;
    }
    text.extend(rest);
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_below_their_last_part() {
        let line = "  name    one two three four";
        assert_eq!(fit(line, 40), line);
        assert_eq!(fit(line, 20), "  name    one two\n          three four");
        assert_eq!(fit("one two three", 8), "one two\nthree");
        assert_eq!(fit("  one two three", 9), "  one two\n  three");
        assert_eq!(fit("a b\n\nlonger words", 7), "a b\n\nlonger\nwords");
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole() {
        assert_eq!(
            fit("see https://example.org/paper now", 10),
            "see\nhttps://example.org/paper\nnow"
        );
        assert_eq!(fit("unbreakable", 4), "unbreakable");
        assert_eq!(fit("", 4), "");
    }

    #[test]
    fn no_line_is_longer_where_words_allow_it() {
        let text =
            "left out `name`: text with 21 different values, more than 20, such as `x` in line 2";
        for width in 12..100 {
            let fitted = fit(text, width);
            assert!(fitted.lines().all(|line| line.len() <= width), "{width}: {fitted}");
            assert_eq!(fitted.split_whitespace().collect::<Vec<_>>().join(" "), text);
        }
    }
}
