//! Bad input: one clear line on stderr, exit status 2, nothing half-written.

use crate::folder::Folder;

const TABLE: &str = "classifier --data data.csv --target class --epochs 20";

#[test]
fn flags() {
    let folder = Folder::new();
    for (flags, expected) in [
        ("--optimizer adamv", "did you mean `adam`?"),
        ("--optimizer adam:beta1", "OPTION=VALUE"),
        ("--optimizer adam:beta1=1.5", "adam: beta1 = 1.5 is not allowed"),
        ("--set beta=0.9", "did you mean `beta1`?"),
        ("--set beta1=1.5", "adam: beta1 = 1.5 is not allowed"),
        ("--set beta1", "OPTION=VALUE"),
        ("--lr -1", "lr = -1 is not allowed"),
        ("--state int4", "int8:128"),
        ("--state int8:48", "a power of two"),
        ("--state f16 --optimizer cocob", "with which it begins; bf16 does"),
        ("--weights bf16-exact", "bf16-split"),
        ("--weights f16-split", "f16-kahan"),
        ("--weights bf16 --backend ndarray", "--weights bf16: this backend has no such numbers"),
        ("--lr NaN", "lr = NaN is not allowed"),
        ("--epochs 0", "--epochs"),
        ("--batch-size 0", "--batch-size"),
        ("--batch-size -3", "`all` or a number"),
        ("--seed -1", "--seed"),
        ("--batch-size some", "`all` or a number"),
        ("--hidden 12,,x", "widths of the hidden layers"),
        ("--hidden 99999999,99999999", "--hidden asks for more than"),
        ("--threads 0", "--threads"),
        ("--backend tpu", "there is no backend `tpu`"),
        ("--epoch 3", "--epochs"),
        ("--plot loss.pdf", ".svg or .png"),
        ("--plot data.csv/loss.svg", "cannot write"),
        ("--plot .", "--plot"),
        ("--schedule cosin", "did you mean `cosine`?"),
        ("--warmup -1", "--warmup"),
        ("--warmup 80", "there are 80 steps in all"),
        ("--warmup 27 --accumulate 3", "there are 26 steps in all"),
        ("--clip-norm 0", "clip_norm = 0 is not allowed"),
        ("--clip-norm NaN", "clip_norm = NaN is not allowed"),
        ("--accumulate 0", "--accumulate"),
        ("--accumulate 81", "there are 80 batches in all"),
        ("--ema 1", "decay = 1 is not allowed"),
        ("--ema -0.5", "decay = -0.5 is not allowed"),
        ("--log steps.txt", ".jsonl or .csv"),
        ("--log data.csv", "a file that is no log"),
        ("--log data.csv/steps.jsonl", "cannot write"),
        ("--save data.csv", "a file that is not a save"),
        ("--save run.svg --plot ./run.svg", "--save and --plot name the same file"),
        ("--save data.csv/save.bpk", "cannot write"),
        ("--save .", "it is a folder"),
        ("--resume nowhere.bpk", "cannot read the save nowhere.bpk"),
        ("--resume .", "a save is one file"),
        ("--resume data.csv", "not a checkpoint"),
        ("--explain adamv", "did you mean `adam`?"),
        ("--explain adam --set beta=0.9", "did you mean `beta1`?"),
        ("--explain adamw --optimizer adam", "--explain adamw and --optimizer adam are two"),
        ("--explain adam --json", "cannot be used with"),
        ("--find-lr --print-plan", "cannot be used with"),
        ("--separator ab", "a character of ASCII, or `tab`"),
        ("--missing --json", "--missing NA,-999"),
        ("--out p.csv", "--predict"),
        ("--find-lr --plot rates.pdf", ".svg or .png"),
        ("--find-lr --lr NaN", "lr = NaN is not allowed"),
        ("--optimizer sgd --lr 1e30 --plot loss.svg --save run.bpk", "diverges"),
    ] {
        folder.refused(&format!("{TABLE} {flags}"), expected);
    }
    #[cfg(not(feature = "rocm"))]
    folder.refused(&format!("{TABLE} --backend rocm"), "build it with `--features rocm`");
}

#[test]
fn tables() {
    let folder = Folder::new();
    folder.write("empty.csv", "");
    folder.write("head.csv", "x,y\n");
    folder.write("short.csv", "x,y\n1,2\n2,3\n");
    folder.write("ragged.csv", "x,y\n1,2\n2\n");
    folder.write("same.csv", format!("x,y,class\n{}", "1,2,a\n".repeat(20)));
    let utf16 = "x,y\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes);
    folder.write("utf16.csv", [0xff, 0xfe].into_iter().chain(utf16).collect::<Vec<u8>>());
    folder.write("latin.csv", b"x,y\n1,caf\xe9\n");
    let rows =
        |x: fn(i32) -> String| (0..40).map(|i| format!("{},{i}\n", x(i))).collect::<String>();
    folder.write(
        "huge.csv",
        "x,y\n".to_string() + &rows(|i| format!("{}1e300", ["", "-"][i as usize % 2])),
    );
    folder.write("tiny.csv", "x,y\n".to_string() + &rows(|i| format!("{i}e-170")));
    folder.write("bad.csv.gz", [0x1f, 0x8b, 8, 0, 0]);
    for (line, expected) in [
        ("regression --data none.csv --target z", "none.csv"),
        ("regression --data data.csv", "which of x, y, word, class, z is to be predicted?"),
        ("regression --target z", "need --data"),
        ("regression --no-header", "need --data"),
        ("regression --data data.csv --target zz", "did you mean `z`?"),
        ("regression --data data.csv --target class", "is not numeric: it has the value"),
        ("regression --data data.csv --target z --drop w", "there is no column `w`"),
        ("regression --data data.csv --target z --features z", "is the target"),
        ("regression --data data.csv --target z --drop x,y,word,class", "no column to learn"),
        ("regression --data empty.csv --target z", "empty.csv is empty"),
        ("regression --data head.csv --target y", "no row below"),
        ("regression --data short.csv --target y", "2 usable examples are too few"),
        ("regression --data ragged.csv --target y", "ragged.csv: line 3 has 1 value"),
        ("regression --data utf16.csv --target y", "utf16.csv: it is UTF-16 text"),
        ("regression --data latin.csv --target y", "latin.csv: it is not UTF-8: "),
        ("regression --data huge.csv --target y", "the column `x` cannot be standardised"),
        ("regression --data tiny.csv --target y", "the column `x` cannot be standardised"),
        ("classifier --data tiny.csv --target y", "40 different values in 40 rows"),
        ("classifier --data data.csv --target z", "different values in 160 rows"),
        ("regression --data same.csv --target y", "the same value in every row"),
        ("classifier --data same.csv --target class", "one class only"),
        ("regression --data bad.csv.gz --target y", "is not a whole gzip file"),
        ("regression --data .", "is a folder"),
        ("classifier --data .", "neither train-images* nor t10k-images*"),
        ("classifier --data . --target x", "is a folder"),
    ] {
        folder.refused(line, expected);
    }
}

#[test]
fn images() {
    let folder = Folder::new();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 2], &[7; 40][..]].concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 19], &[0; 19][..]].concat();
    folder.write("t10k-images-idx3-ubyte", &images);
    folder.write("t10k-labels-idx1-ubyte", &labels);
    folder.refused("classifier --data .", "20 images, but");
    folder.write("t10k-images-idx3-ubyte", &images[..30]);
    folder.refused("classifier --data .", "truncated");
    folder.write("t10k-images-idx3-ubyte.gz", [0x1f, 0x8b, 8, 0, 0]);
    std::fs::remove_file(folder.path("t10k-images-idx3-ubyte")).unwrap();
    folder.refused("classifier --data .", "is not a whole gzip file");
}
