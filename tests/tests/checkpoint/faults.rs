//! A disk that is full, folders that take nothing, several processes at one file, and a file of 10 GB.

use crate::kill::{SAVE_TO, saver};
use crate::{Net, adamw, builder, walked};
use burn_descent::{Checkpoint, CheckpointError, Descent};
use burn_descent_tests::allocation;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A walk whose file is of 400 KB.
fn large() -> (Net, Descent) {
    let net = Net::of(20_000);
    let mut descent = Descent::builder(adamw()).lr(0.1).build(&net).expect("it fits");
    let gradients = net.gradients(1);
    let (net, _) = descent.step(net, gradients).expect("a good step");
    (net, descent)
}

#[test]
#[ignore = "the process whose disk `a_full_disk_leaves_the_file_that_was_there` fills"]
fn save_on_a_full_disk() {
    let path = PathBuf::from(std::env::var_os(SAVE_TO).expect("where to save"));
    let (net, descent) = large();
    let saved = descent.checkpoint(&net).expect("of this model").save(path);
    let error = saved.expect_err("the disk is full");
    assert!(matches!(error, CheckpointError::File { .. }), "{error}");
    // The walk goes on.
    let (mut descent, gradients) = (descent, net.gradients(2));
    assert!(descent.step(net, gradients).expect("a good step").1.stepped);
}

/// A process that may write no file of more than 64 KB is told what one is told whose disk is full.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_file_that_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.bpk");
    let (net, descent) = walked(builder());
    descent.checkpoint(&net).expect("of this model").save(&path).expect("it can be saved");
    let before = fs::read(&path).expect("a file");
    let limited =
        "trap '' XFSZ; ulimit -f 128; exec \"$0\" --ignored --exact faults::save_on_a_full_disk";
    let mut process = Command::new("sh");
    process.args(["-c", limited]).arg(std::env::current_exe().expect("this test"));
    let output = process.env(SAVE_TO, &path).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert!(fs::read(&path).expect("a file") == before, "the file that was there is another");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "scratch files stay");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_nothing_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let (net, descent) = walked(builder());
    let save = |path: &Path| {
        let saved = descent.checkpoint(&net).expect("of this model").save(path);
        let error = saved.expect_err("nothing can be written there");
        assert!(matches!(error, CheckpointError::File { .. }), "{error}");
        assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    };
    // Nobody may write here, not even root.
    save(Path::new("/proc/run.bpk"));
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).expect("it is ours");
    // Root may write everywhere else.
    let takes = File::create(folder.path().join("probe")).is_ok();
    if !takes {
        save(&folder.path().join("run.bpk"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}

/// What is no checkpoint is known by its first bytes, and not read into memory.
#[test]
fn of_a_file_of_10_gb_that_is_none_a_header_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.bpk");
    // A hole: it takes no room on the disk.
    File::create(&path).and_then(|file| file.set_len(10 << 30)).expect("it can be made");
    let (opened, largest) = allocation::largest(|| Checkpoint::open(&path));
    assert!(matches!(opened, Err(CheckpointError::Foreign(_))), "{opened:?}");
    assert!(largest < 1 << 16, "{largest} bytes");
}

#[test]
fn processes_that_save_to_one_path_leave_a_whole_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.bpk");
    let mut processes: Vec<_> = (0..3).map(|_| saver(&path)).collect();
    let begin = Instant::now();
    let mut opened = 0;
    while opened < 200 {
        assert!(begin.elapsed() < Duration::from_secs(120), "they do not save");
        if path.exists() {
            assert_eq!(Checkpoint::open(&path).expect("a whole file").steps(), 1);
            opened += 1;
        }
    }
    for process in &mut processes {
        assert!(process.try_wait().expect("it answers").is_none(), "it cannot save");
        process.kill().expect("it runs");
        process.wait().expect("it ends");
    }
    Checkpoint::open(&path).expect("a whole file");
}

/// A clock that goes back, or stands, changes nothing: none is read.
#[test]
fn no_clock_is_read() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut folders: Vec<PathBuf> = ["burn-descent-rules", "burn-descent-engine", "burn-descent"]
        .map(|name| crates.join(name).join("src"))
        .into();
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("text");
            let reads = ["Instant::now", "SystemTime"].iter().any(|clock| text.contains(clock));
            assert!(!reads, "{} reads a clock", path.display());
            files += 1;
        }
    }
    assert!(files > 200, "the sources are elsewhere");
}
