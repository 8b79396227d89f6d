//! `lab claims`.

use crate::folder::Folder;

#[test]
fn a_claim_is_measured_drawn_and_evaluated() {
    let folder = Folder::new();
    let text = folder.done("claims --only momentum-terminal-velocity,bias-correction --out found");
    assert!(text.contains("10.0000000000 at 0.9") && text.contains("holds"), "{text}");
    let files = ["results.json", "report.html", "bias-correction.svg", "bias-correction.png"];
    assert!(files.iter().all(|file| folder.path("found").join(file).exists()));
}

#[test]
fn smaller_batches_are_noisier() {
    let found = Folder::new().json("claims --only small-batches-are-noisy");
    let claim = &found["claims"][0];
    assert_eq!(claim["holds"], true, "{claim}");
    let points = claim["lines"][0]["points"].as_array().unwrap();
    let variance = |i: usize| points[i][1].as_f64().unwrap();
    // Of independent examples the variance of a mean of 32 is one 32nd.
    assert!((variance(0) / variance(5) / 32.0 - 1.0).abs() < 0.3, "{claim}");
}

#[test]
fn bad_input_is_one_line() {
    let folder = Folder::new();
    folder.refused("claims --only bias", "the claims are too-big-bounces");
    folder.refused("claims --seeds 0", "--seeds");
    folder.refused("claims --backend flax", "did you mean `flex`?");
}
