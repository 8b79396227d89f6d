//! The book and all other prose: links lead somewhere, figures are those of the pages they are taken from, and every
//! chapter is in the table of contents and among the tests of documentation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Markdown files of a folder and of those inside of it.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            pages.extend(self::pages(&path));
        } else if path.extension().is_some_and(|ending| ending == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

/// The lines outside of blocks of code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().trim_start_matches("> ").starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// A line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// Where the links of a page lead, with the numbers of their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        for rest in line.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                links.push((number + 1, target.to_owned()));
            }
        }
    }
    links
}

/// The anchors of the headings of a page, as repositories and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter_map(|(_, line)| {
        let heading = line.trim_start_matches('#');
        (heading.len() < line.len()).then(|| heading.trim())
    });
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut all = pages(&root().join("docs"));
    for page in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        all.push(root().join(page));
    }
    for folder in std::fs::read_dir(root().join("crates")).expect("the crates") {
        let page = folder.expect("an entry").path().join("README.md");
        all.extend(page.exists().then_some(page));
    }
    let (mut count, mut broken) = (0, Vec::new());
    for page in &all {
        let text = read(page);
        for (line, target) in links(&text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = page.parent().expect("a page is in a folder").join(file);
            let path = if file.is_empty() { page.clone() } else { path };
            let is_page = path.extension().is_some_and(|ending| ending == "md");
            let leads = path.exists()
                && (anchor.is_empty() || !is_page || anchors(&read(&path)).contains(anchor));
            if !leads {
                broken.push(format!("{}:{line}: {target}", page.display()));
            }
        }
    }
    assert!(count > 100, "only {count} links were found");
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

/// The chapters by their paths in the book, without its table of contents.
fn chapters() -> Vec<(String, String)> {
    let source = root().join("docs/book/src");
    let chapters = pages(&source).into_iter().map(|path| {
        let name = path.strip_prefix(&source).expect("it is in there").to_owned();
        let name = name.to_string_lossy().replace('\\', "/");
        (name, read(&path))
    });
    chapters.filter(|(name, _)| name != "SUMMARY.md").collect()
}

#[test]
fn every_chapter_is_in_the_table_of_contents_and_tested() {
    let summary = read(&root().join("docs/book/src/SUMMARY.md"));
    let listed: BTreeSet<String> = links(&summary).into_iter().map(|(_, target)| target).collect();
    let chapters = chapters();
    let names: BTreeSet<String> = chapters.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(listed, names, "SUMMARY.md, and the chapters that there are");
    let tested = read(&root().join("tests/src/book.rs"));
    for (name, text) in &chapters {
        let is_tested = tested.contains(&format!("\"{name}\""));
        assert!(is_tested || !text.contains("```rust"), "{name} is not in tests/src/book.rs");
    }
}

/// A block without a language, or in Markdown's old way by its indent, is Rust to rustdoc.
#[test]
fn every_block_has_a_language_and_is_run() {
    for (name, text) in chapters() {
        let mut is_code = false;
        for (number, line) in text.lines().enumerate() {
            let Some(language) = line.trim_start().strip_prefix("```") else {
                let is_indented = line.starts_with("    ") && !is_code && !line.trim().is_empty();
                assert!(!is_indented, "{name}:{}: a block by its indent", number + 1);
                continue;
            };
            is_code = !is_code;
            let known = ["rust", "toml", "sh", "text", "python"].contains(&language);
            assert!(known || !is_code, "{name}:{}: ```{language}", number + 1);
        }
        assert!(!is_code, "{name}: a block does not end");
    }
}

/// Tables between `<!-- rows of FILE -->` and `<!-- /rows -->` are rows of that file.
#[test]
fn figures_are_those_of_their_pages() {
    let mut rows = 0;
    for (name, text) in chapters() {
        for block in text.split("<!-- rows of ").skip(1) {
            let (file, block) = block.split_once(" -->").expect("a comment ends");
            let (block, _) = block.split_once("<!-- /rows -->").expect("the rows end");
            let page = read(&root().join(file));
            let lines: BTreeSet<&str> = page.lines().collect();
            for row in block.lines().filter(|line| line.starts_with('|')) {
                rows += 1;
                assert!(lines.contains(row), "{name}: this row is not in {file}:\n{row}");
            }
        }
    }
    assert!(rows > 20, "only {rows} rows were found");
}
