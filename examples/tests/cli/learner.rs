//! The same training in burn's `Learner`.

use crate::folder::Folder;
use std::fs;

const LINE: &str = "--data data.csv --target class --hidden 8 --batch-size 16";

fn done(folder: &Folder, line: &str) -> String {
    let output = folder.run(line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn model(folder: &Folder, file: &str) -> Vec<u8> {
    fs::read(folder.path(file)).unwrap()
}

#[test]
fn it_trains_to_the_same_bits_as_the_classifier() {
    let folder = Folder::new();
    for how in [
        "--backend flex --schedule one_cycle --warmup 5",
        "--backend ndarray --optimizer nesterov --seed 3",
    ] {
        done(&folder, &format!("classifier {LINE} {how} --epochs 3 --save save.bpk"));
        done(&folder, &format!("learner {LINE} {how} --epochs 3 --dir run"));
        let (_, mut expected) = folder.tensors("save.bpk");
        let (_, found) = folder.tensors("run/checkpoint/model-3.bpk");
        assert!(!found.is_empty());
        for (name, tensor) in found {
            assert_eq!(Some(tensor), expected.remove(&format!("weights/{name}")), "{how}: {name}");
        }
        fs::remove_dir_all(folder.path("run")).unwrap();
    }
}

#[test]
fn a_resumed_run_ends_with_the_same_bits_and_rates() {
    let folder = Folder::new();
    let how = "--epochs 5 --optimizer adamw --schedule cosine --warmup 10";
    done(&folder, &format!("learner {LINE} {how} --dir run"));
    let files =
        ["checkpoint/model-5.bpk", "checkpoint/scheduler-5.bpk", "train/epoch-5/Learning_Rate.log"];
    let read = || files.map(|file| model(&folder, &format!("run/{file}")));
    let whole = read();
    files.iter().for_each(|file| fs::remove_file(folder.path("run").join(file)).unwrap());
    // A save that was killed: the checksum of a file that never came, and what it had begun.
    let sums = folder.path("run/checkpoint/model-4.crc32");
    let sum = fs::read_to_string(&sums).unwrap();
    fs::write(&sums, format!("{sum}00000000\n")).unwrap();
    fs::create_dir(folder.path("run/checkpoint/.saving-model")).unwrap();
    folder.write("run/checkpoint/.saving-model/model-5.bpk", "half of it");
    done(&folder, "learner --dir run --resume 4");
    assert!(!folder.path("run/checkpoint/.saving-model").exists());
    assert_eq!(read(), whole);
}

#[test]
fn without_a_terminal_there_is_a_line_an_epoch_and_without_a_folder_nothing_is_kept() {
    let folder = Folder::new();
    let text = done(&folder, &format!("learner {LINE} --epochs 2 --schedule linear"));
    assert_eq!(text.lines().filter(|line| line.starts_with("epoch ")).count(), 2, "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("test loss ") && last.contains("accuracy "), "{text}");
    assert_eq!(folder.listing(), ["data.csv".to_string()].into());
}

#[test]
fn bad_input_is_refused() {
    let folder = Folder::new();
    done(&folder, &format!("learner {LINE} --epochs 2 --dir run"));
    for (flags, expected) in [
        ("--schedule cosin", "did you mean `cosine`?"),
        ("--warmup 80 --epochs 10", "there are 80 steps in all"),
        ("--dir run", "run is not empty"),
        ("--dir data.csv/run", "data.csv is a file"),
        ("--resume 2", "--dir"),
        ("--dir nowhere --resume 2", "no run: nowhere/run.json"),
        ("--dir run --resume 7", "there is no checkpoint of epoch 7 in run"),
        ("--dir run --resume 2 --epochs 1", "--epochs is the total"),
        ("--dir run --resume 2 --seed 4", "--seed 0, not 4"),
        ("--dir run --resume 2 --drop word", "the data is not that of the save"),
        ("--optimizer sgd --lr 1e30 --epochs 3", "diverges"),
    ] {
        folder.refused(&format!("learner {LINE} {flags}"), expected);
    }
    for file in ["checkpoint/model-2.bpk", "checkpoint/optim-2.bpk", "checkpoint/scheduler-2.bpk"] {
        let path = folder.path("run").join(file);
        let good = fs::read(&path).unwrap();
        let flipped = |at: usize| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        };
        for damaged in [good[..20].to_vec(), flipped(good.len() / 2), flipped(good.len() - 1)] {
            fs::write(&path, damaged).unwrap();
            folder.refused("learner --dir run --resume 2 --epochs 3", "is damaged");
        }
        fs::write(&path, good).unwrap();
    }
    let note = fs::read(folder.path("run/run.json")).unwrap();
    let mut note: serde_json::Value = serde_json::from_slice(&note).unwrap();
    *note.pointer_mut("/recipe/hidden").unwrap() = serde_json::json!([0, 64]);
    folder.write("run/run.json", note.to_string());
    folder.refused("learner --dir run --resume 2 --epochs 3", "is damaged");
    folder.write("run/run.json", "{");
    folder.refused("learner --dir run --resume 2", "is damaged");
}
