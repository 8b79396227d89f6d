//! Images and labels in MNIST's files.
//!
//! A folder holds `train-images*`, `train-labels*`, `t10k-images*` and `t10k-labels*`, compressed
//! or not, or only one of the two pairs: then the seed chooses a fifth of it to test with.

use super::encoder::{Code, Coding, Encoder, Inputs};
use super::split::split;
use super::{Dataset, Examples, Matrix, file};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Pixels from 0 to 1, an image a row, and the label of each.
struct Pair {
    images: Matrix,
    labels: Vec<u8>,
}

/// The examples in a folder.
pub(super) fn open(folder: &Path, seed: u64) -> Result<Dataset> {
    let pairs = (Pair::open(folder, "train")?, Pair::open(folder, "t10k")?);
    let labels: BTreeSet<u8> =
        [&pairs.0, &pairs.1].into_iter().flatten().flat_map(|p| p.labels.iter().copied()).collect();
    let classes: Vec<u8> = labels.into_iter().collect();
    let name = folder.display();
    let examples =
        |pair: &Pair| Examples { inputs: pair.images.clone(), targets: pair.targets(&classes) };
    let (train, test) = match &pairs {
        (None, None) => {
            bail!("{name} has neither train-images* nor t10k-images*: not MNIST-style files")
        }
        (Some(train), Some(test)) => {
            let widths = (train.images.width, test.images.width);
            ensure!(widths.0 == widths.1, "{name}: the images of train and t10k differ in size");
            (examples(train), examples(test))
        }
        (Some(pair), None) | (None, Some(pair)) => {
            let all = examples(pair);
            let part = |rows: Vec<usize>| Examples {
                inputs: all.inputs.select(&rows),
                targets: all.targets.select(&rows),
            };
            let (train, test) = split(pair.labels.len(), seed)?;
            (part(train), part(test))
        }
    };
    ensure!(classes.len() > 1, "{name}: all labels are the same: there is nothing to tell apart");
    let words = classes.iter().map(u8::to_string).collect();
    let encoder = Encoder {
        inputs: Inputs::Pixels(train.inputs.width),
        target: Coding::new("label", Code::Words(words)),
    };
    Ok(Dataset { train, test, encoder, notes: Vec::new() })
}

impl Pair {
    /// The images and labels whose files begin with a word; `None` if there are neither.
    fn open(folder: &Path, prefix: &str) -> Result<Option<Self>> {
        let find = |what: &str| find(folder, &format!("{prefix}-{what}"));
        match (find("images")?, find("labels")?) {
            (None, None) => Ok(None),
            (Some(images), Some(labels)) => {
                let (images_name, labels_name) = (images.display(), labels.display());
                let (images, (labels, [n])) = (self::images(&images)?, idx::<1>(&labels)?);
                ensure!(
                    n == images.len(),
                    "{images_name} has {} images, but {labels_name} has {n} labels",
                    images.len()
                );
                Ok(Some(Self { images, labels }))
            }
            (images, _) => {
                let missing = if images.is_some() { "labels" } else { "images" };
                bail!("{} has no file {prefix}-{missing}*", folder.display())
            }
        }
    }

    fn targets(&self, classes: &[u8]) -> Matrix {
        let class = |label: &u8| classes.binary_search(label).unwrap_or(0);
        Matrix::one_hot(&self.labels.iter().map(class).collect::<Vec<_>>(), classes.len())
    }
}

/// The images in a file, a row each.
pub(super) fn images(path: &Path) -> Result<Matrix> {
    let (bytes, [_, height, width]) = idx::<3>(path)?;
    let pixels = bytes.iter().map(|pixel| f32::from(*pixel) / 255.0).collect();
    Ok(Matrix::new(pixels, height * width))
}

/// The first file, by the alphabet, whose name begins like this.
fn find(folder: &Path, prefix: &str) -> Result<Option<PathBuf>> {
    let context = || format!("cannot read the folder {}", folder.display());
    let mut found = None;
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let fits = path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(prefix));
        if fits && found.as_ref().is_none_or(|other| path < *other) {
            found = Some(path);
        }
    }
    Ok(found)
}

/// The bytes and the dimensions in an IDX file of `D` dimensions.
fn idx<const D: usize>(path: &Path) -> Result<(Vec<u8>, [usize; D])> {
    let mut bytes = file::read(path)?;
    let name = path.display();
    let word = |i: usize| bytes.get(4 * i..4 * i + 4).and_then(|word| word.try_into().ok());
    let magic = word(0).map(u32::from_be_bytes);
    ensure!(
        magic == Some(0x0800 + D as u32),
        "{name} is not an IDX file of bytes in {D} dimensions"
    );
    let mut dims = [0; D];
    for (i, dim) in dims.iter_mut().enumerate() {
        let word = word(i + 1).with_context(|| format!("{name} is truncated in its header"))?;
        *dim = u32::from_be_bytes(word) as usize;
        ensure!(*dim > 0, "{name} is empty: a dimension is 0");
    }
    let expected = dims.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim));
    let found = bytes.len() - 4 * (D + 1);
    ensure!(
        expected == Some(found),
        "{name} is truncated or damaged: it has {found} bytes of data, its header says {}",
        dims.map(|dim| dim.to_string()).join(" x ")
    );
    bytes.drain(..4 * (D + 1));
    Ok((bytes, dims))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dims: &[u32], data: &[u8]) -> Vec<u8> {
        let magic = 0x0800 + dims.len() as u32;
        let head = [magic].into_iter().chain(dims.iter().copied());
        head.flat_map(u32::to_be_bytes).chain(data.iter().copied()).collect()
    }

    fn folder(files: &[(&str, Vec<u8>)]) -> Result<Dataset, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        open(dir.path(), 0).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn pairs_are_read_or_split() {
        let labels: Vec<u8> = (0..20).map(|i| 3 + i % 2).collect();
        let images = ("t10k-images-idx3-ubyte", file(&[20, 1, 2], &[255; 40]));
        let labels = ("t10k-labels-idx1-ubyte", file(&[20], &labels));
        let data = folder(&[images.clone(), labels.clone()]).unwrap();
        assert_eq!((data.train.inputs.len(), data.test.inputs.len()), (16, 4));
        assert_eq!((data.train.inputs.width, data.train.targets.width), (2, 2));
        assert_eq!(data.train.inputs.values[0], 1.0);

        let train_images = ("train-images-idx3-ubyte", file(&[2, 1, 2], &[0; 4]));
        let train_labels = ("train-labels-idx1-ubyte", file(&[2], &[3, 4]));
        let data = folder(&[images, labels, train_images, train_labels]).unwrap();
        assert_eq!((data.train.inputs.len(), data.test.inputs.len()), (2, 20));
    }

    #[test]
    fn damage_is_named() {
        let pair = |images, labels| {
            folder(&[("t10k-images", images), ("t10k-labels", labels)]).unwrap_err()
        };
        let good = || file(&[2, 1, 1], &[1, 2]);
        assert!(pair(good(), file(&[3], &[1, 2, 3])).contains("has 2 images"));
        assert!(pair(file(&[9, 1, 1], &[1]), file(&[9], &[1; 9])).contains("truncated"));
        assert!(pair(file(&[u32::MAX; 3], &[1]), file(&[9], &[1; 9])).contains("truncated"));
        assert!(pair(vec![0, 0, 8, 3, 0], file(&[1], &[1])).contains("truncated in its header"));
        assert!(pair(file(&[2], &[1, 2]), good()).contains("not an IDX file"));
        assert!(pair(file(&[0, 1, 1], &[]), file(&[0], &[])).contains("is empty"));
        assert!(folder(&[("t10k-images", good())]).unwrap_err().contains("no file t10k-labels*"));
        assert!(folder(&[]).unwrap_err().contains("neither"));
        assert!(pair(file(&[12, 1, 1], &[1; 12]), file(&[12], &[7; 12])).contains("the same"));
    }
}
