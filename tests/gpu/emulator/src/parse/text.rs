//! The text of a module in pieces: items, statements, lists.

use super::Refusal;

/// What stands at the top of a module.
pub(super) enum Item<'a> {
    Variable(&'a str),
    /// What stands before the braces, and between them.
    Function {
        head: &'a str,
        body: &'a str,
    },
}

/// What stands in a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Open,
    Close,
    Label(&'a str),
    Statement(&'a str),
}

/// `ptx` without its comments.
pub(super) fn without_comments(ptx: &str) -> String {
    let mut text = String::with_capacity(ptx.len());
    let mut rest = ptx;
    while let Some(at) = rest.find('/') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            text.push('/');
            1
        };
        rest = &rest[length..];
    }
    text.push_str(rest);
    text
}

/// The items of a module. Directives that say nothing about how it runs are left out.
pub(super) fn items(text: &str) -> Result<Vec<Item<'_>>, Refusal> {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if [".version", ".target", ".address_size", ".file"].iter().any(|d| rest.starts_with(d)) {
            rest = rest.find('\n').map_or("", |end| &rest[end..]).trim_start();
            continue;
        }
        let stop = rest.find([';', '{', '=']).ok_or_else(|| format!("`{rest}` has no end"))?;
        if rest[stop..].starts_with('{') {
            let length = braces(&rest[stop..]).ok_or("a brace is not closed")?;
            let (head, body) = (rest[..stop].trim(), &rest[stop + 1..stop + length - 1]);
            if !head.starts_with(".section") {
                items.push(Item::Function { head, body });
            }
            rest = rest[stop + length..].trim_start();
        } else {
            let end = rest.find(';').ok_or_else(|| format!("`{rest}` has no end"))?;
            items.push(Item::Variable(rest[..end].trim()));
            rest = rest[end + 1..].trim_start();
        }
    }
    Ok(items)
}

/// The length of what stands in braces, with them.
fn braces(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The pieces of a body.
pub(super) fn pieces(body: &str) -> Result<Vec<Piece<'_>>, Refusal> {
    let mut pieces = Vec::new();
    let mut rest = body.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '{' => pieces.push(Piece::Open),
            '}' => pieces.push(Piece::Close),
            ';' => {}
            _ => {
                let label = rest.find(|c: char| !(c.is_alphanumeric() || "_$%".contains(c)));
                if let Some(end) = label
                    && let after = rest[end..].trim_start()
                    && after.starts_with(':')
                {
                    pieces.push(Piece::Label(&rest[..end]));
                    rest = after[1..].trim_start();
                    continue;
                }
                let end = rest.find(';').ok_or_else(|| format!("`{rest}` has no end"))?;
                pieces.push(Piece::Statement(rest[..end].trim()));
                rest = rest[end + 1..].trim_start();
                continue;
            }
        }
        rest = rest[1..].trim_start();
    }
    Ok(pieces)
}

/// What stands between commas, outside of brackets and braces.
pub(super) fn list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

/// The parts of `{a, b}`, or the one that stands alone.
pub(super) fn vector(text: &str) -> Vec<&str> {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(parts) => list(parts),
        None => vec![text],
    }
}
