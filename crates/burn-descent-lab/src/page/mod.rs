//! A report as one file that needs nothing else.
//!
//! The page holds the report as JSON, and a script that shows it: texts become texts and never
//! markup, charts answer to the mouse and to the keyboard.

use crate::draw;
use crate::report::Report;
use anyhow::Result;

/// Is this file a page of the lab?
pub(crate) fn is_one(file: &[u8]) -> bool {
    let head = include_bytes!("page.html").split(|byte| *byte == b'{').next();
    head.is_some_and(|head| file.starts_with(head))
}

/// The page that shows a report.
///
/// ```
/// use burn_descent_lab::{made::Made, page, report::Report};
///
/// let (title, made) = ("</script>".into(), Made::here("lab".into()));
/// let report = Report { title, made, sections: Vec::new() };
/// assert!(page::html(&report)?.contains(r#""title":"\u003c/script>""#));
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
/// If the report cannot be told in JSON.
pub fn html(report: &Report) -> Result<String> {
    // In JSON a `<` stands in strings only; in HTML it would begin a tag.
    let report = serde_json::to_string(report)?.replace('<', r"\u003c");
    let parts = [
        ("{colors}", draw::css()),
        ("{style}", include_str!("page.css").into()),
        ("{chart}", include_str!("chart.js").into()),
        ("{script}", include_str!("page.js").into()),
        ("{report}", report),
    ];
    // Each place is there once, and the report is put in last.
    let html = include_str!("page.html").to_owned();
    Ok(parts.iter().fold(html, |html, (place, text)| html.replacen(place, text, 1)))
}
