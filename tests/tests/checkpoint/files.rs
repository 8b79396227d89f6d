//! Where a checkpoint is written, and what lies beside it.

use crate::{builder, walked};
use burn_descent::{Checkpoint, CheckpointError};
use std::fs;
use std::path::{Path, PathBuf};

fn save(path: &Path) -> Result<(), CheckpointError> {
    let (net, descent) = walked(builder());
    descent.checkpoint(&net).expect("of this model").save(path)
}

fn refused(path: &Path) -> String {
    let error = save(path).expect_err("it is no file");
    assert!(matches!(error, CheckpointError::File { .. }), "{error}");
    error.to_string()
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn a_folder_stays_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("a folder");
    let error = refused(&empty);
    assert!(error.contains("it is a folder"), "{error}");
    assert!(empty.is_dir() && names(folder.path()) == ["empty"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_and_a_device_stay_what_they_are() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&pipe, &link).expect("a link");
    let null = Path::new("/dev/null");
    for path in [pipe.as_path(), &link, null] {
        let error = refused(path);
        assert!(error.contains("a device, a pipe or a socket"), "{error}");
        // Nor does reading wait for a pipe, or fill the memory from a device.
        assert!(matches!(Checkpoint::open(path), Err(CheckpointError::File { .. })));
    }
    let kind = |path: &Path| fs::symlink_metadata(path).expect("it is there").file_type();
    assert!(kind(&pipe).is_fifo() && kind(&link).is_symlink() && kind(null).is_char_device());
    assert_eq!(names(folder.path()), ["link", "pipe"]);
}

#[cfg(unix)]
#[test]
fn links_are_written_through() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("disk")).expect("a folder");
    // Two links one after the other, to a file that is there later.
    symlink("second.bpk", at("first.bpk")).expect("a link");
    symlink("disk/run.bpk", at("second.bpk")).expect("a link");
    for _ in 0..2 {
        save(&at("first.bpk")).expect("it can be saved");
        for link in ["first.bpk", "second.bpk"] {
            assert!(at(link).is_symlink());
            assert_eq!(Checkpoint::open(at(link)).expect("a checkpoint").steps(), 2);
        }
        assert!(!at("disk/run.bpk").is_symlink());
        assert_eq!(names(&at("disk")), ["run.bpk"]);
    }
    // A circle leads nowhere.
    symlink("circle", at("circle")).expect("a link");
    refused(&at("circle"));
    assert!(at("circle").is_symlink());
}

#[test]
fn what_a_killed_save_left_is_cleaned_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.bpk");
    let put = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, b"half of it").expect("a file");
        path
    };
    // Ids of processes that cannot be.
    let mine = format!("run.bpk.{}-77.tmp", std::process::id());
    for left in ["run.bpk.4194399-0.tmp", "run.bpk.4194398-12.tmp", &mine] {
        put(left);
    }
    let others = [
        "run.bpk.tmp",
        "run.bpk.backup.tmp",
        "run.bpk.1x-2.tmp",
        "other.bpk.4194399-0.tmp",
        "run.bpk2.4194399-0.tmp",
        "run.bpk.1-0.tmp", // of a process that lives
    ];
    let others: Vec<PathBuf> = others.into_iter().map(put).collect();
    // One that somebody writes to.
    let live = put("run.bpk.4194397-0.tmp");
    let writer = fs::File::options().write(true).open(&live).expect("a file");
    writer.lock().expect("it can be locked");
    save(&path).expect("it can be saved");
    for path in others.iter().chain([&live, &path]) {
        assert!(path.exists(), "{} is gone", path.display());
    }
    assert_eq!(names(folder.path()).len(), others.len() + 2);
    drop(writer);
    save(&path).expect("it can be saved");
    assert!(!live.exists());
}

#[test]
fn saves_at_once_do_not_harm_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.bpk");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    save(&path).expect("it can be saved");
                    assert_eq!(Checkpoint::open(&path).expect("whole").steps(), 2);
                }
            });
        }
    });
    assert_eq!(names(folder.path()), ["run.bpk"]);
}
