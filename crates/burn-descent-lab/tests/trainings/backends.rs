//! `lab backends`.

use crate::folder::Folder;

const LINE: &str = "backends --data data.csv --target class --hidden 8 --steps 12";

#[test]
fn backends_agree_to_rounding() {
    let folder = Folder::new();
    let found = folder.json(&format!("{LINE} --optimizer adamw --out found"));
    let tracks = found["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 2);
    for (track, name) in tracks.iter().zip(["flex", "ndarray"]) {
        assert_eq!(track["backend"], name);
        let series = |name: &str| track[name].as_array().unwrap().clone();
        assert_eq!(series("losses").len(), 12);
        assert_eq!(series("seconds").len(), 12);
        let differences = series("differences");
        assert!(differences.iter().all(|d| d.as_f64().unwrap() < 1e-5), "{differences:?}");
    }
    assert!(tracks[1]["differences"].as_array().unwrap().len() == 12);
    for name in ["losses", "differences", "times"] {
        assert!(folder.path("found").join(name).with_extension("svg").exists());
    }
}

#[test]
fn the_first_backend_is_the_one_to_compare_with_and_a_divergence_ends_it() {
    let folder = Folder::new();
    folder
        .done(&format!("{LINE} --backends ndarray,flex --optimizer sgd:momentum=0.5 --out found"));
    let report = folder.read("found/report.json");
    assert!(report.contains("greatest difference from ndarray"), "{report}");
    let found = folder.json(&format!("{LINE} --backends flex --optimizer sgd --lr 1e30"));
    let losses = found["tracks"][0]["losses"].as_array().unwrap();
    assert!(losses.len() < 12 && losses.last().unwrap().is_null(), "{losses:?}");
}

#[test]
fn bad_input_is_one_line() {
    let folder = Folder::new();
    folder.refused(&format!("{LINE} --backends flex,flex"), "`flex` is there twice");
    folder.refused(&format!("{LINE} --backends flax"), "did you mean `flex`?");
    folder.refused(&format!("{LINE} --backends cuda"), "--features cuda");
    folder.refused(&format!("{LINE} --optimizer adamv"), "did you mean `adam`?");
    folder.refused(&format!("{LINE} --lr -1"), "lr = -1");
    folder.refused("backends --data none.csv", "there is no file or folder none.csv");
}
