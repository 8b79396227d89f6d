//! A process that is killed while it saves.

use crate::{Net, adamw};
use burn_descent::{Checkpoint, Descent};
use burn_descent_tests::numbers;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where the process that is killed saves.
pub(crate) const SAVE_TO: &str = "BURN_DESCENT_SAVE_TO";

/// Saves for ever, a walk of more and more steps.
#[test]
#[ignore = "the process that `a_kill_leaves_a_whole_file` kills"]
fn save_for_ever() {
    let path = PathBuf::from(std::env::var_os(SAVE_TO).expect("where to save"));
    let mut net = Net::of(20_000);
    let mut descent = Descent::builder(adamw()).lr(0.1).build(&net).expect("it fits");
    let gradients = net.gradients(1);
    (net, _) = descent.step(net, gradients).expect("a good step");
    loop {
        descent.checkpoint(&net).expect("of this model").save(&path).expect("it can be saved");
    }
}

/// A process that saves to a path again and again.
pub(crate) fn saver(path: &Path) -> Child {
    let mut saver = Command::new(std::env::current_exe().expect("this test"));
    saver.args(["--ignored", "--exact", "kill::save_for_ever"]).env(SAVE_TO, path);
    saver.stdout(Stdio::null()).spawn().expect("it starts")
}

#[test]
fn a_kill_leaves_a_whole_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.bpk");
    let saver = || saver(&path);
    let kill_after = |microseconds: f64| {
        let mut process = saver();
        std::thread::sleep(std::time::Duration::from_micros(microseconds as u64));
        process.kill().expect("it runs");
        process.wait().expect("it ends");
    };
    // One save at least, however slow the machine; then at any moment of the start, the first
    // save, or a later one.
    let mut process = saver();
    while !path.exists() {
        assert!(process.try_wait().expect("it answers").is_none(), "it cannot save");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    process.kill().expect("it runs");
    process.wait().expect("it ends");
    let mut checkpoint = Checkpoint::open(&path).expect("a whole file");
    for moment in numbers(5, 200) {
        kill_after(30_000.0 + 20_000.0 * moment);
        checkpoint = Checkpoint::open(&path).expect("a whole file");
        assert_eq!(checkpoint.steps(), 1);
    }
    // What they left behind goes with the next save.
    checkpoint.save(&path).expect("it can be saved");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 1, "scratch files stay");
}
