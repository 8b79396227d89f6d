//! A report as one file that needs nothing else.

use crate::report::Report;
use anyhow::Result;

/// The page that shows a report.
///
/// # Errors
/// If the report cannot be told in JSON.
pub fn html(report: &Report) -> Result<String> {
    // A `<` would be read as HTML where it begins a tag; in JSON it stands in strings only.
    let report = serde_json::to_string(report)?.replace('<', r"\u003c");
    Ok(format!("<script type=\"application/json\" id=\"report\">{report}</script>\n"))
}
