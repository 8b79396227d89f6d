//! Files with the right checksum, made by somebody who knows the format.

use crate::damage::with_checksum;
use crate::{Net, builder, file};
use burn::tensor::{Bytes, DType, Shape};
use burn_descent::registry::SEARCHES;
use burn_descent::{Checkpoint, CheckpointError, Descent};
use burn_descent_tests::values;
use burn_pack::{Reader, Scalar, Tensor, Writer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a file holds.
struct Parts {
    metadata: BTreeMap<String, String>,
    scalars: BTreeMap<String, Scalar>,
    tensors: Vec<(String, DType, Shape, Vec<u8>)>,
}

/// The file with a part changed.
fn forged(change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    forged_of(file(), change)
}

fn forged_of(file: Vec<u8>, change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(file)).expect("a file");
    let (metadata, scalars) = (reader.metadata().clone(), reader.scalars().clone());
    let tensors = reader.into_tensors().expect("tensors").into_iter().map(|tensor| {
        let (name, dtype, shape, _, bytes) = tensor.into_parts().expect("it is there");
        (name, dtype, shape, bytes.to_vec())
    });
    let mut parts = Parts { metadata, scalars, tensors: tensors.collect() };
    change(&mut parts);
    let tensors = parts.tensors.into_iter().map(|(name, dtype, shape, bytes)| {
        Tensor::new(name, dtype, shape, None, Bytes::from_bytes_vec(bytes))
    });
    let mut writer = Writer::new(tensors.collect());
    for (key, value) in &parts.metadata {
        writer = writer.with_metadata(key, value);
    }
    for (key, value) in parts.scalars {
        writer = writer.with_scalar(&key, value);
    }
    with_checksum(writer.into_bytes().expect("a file").to_vec())
}

/// What a walk says to it, and the walk.
fn tried(file: Vec<u8>) -> (Result<Net, CheckpointError>, Descent) {
    let net = Net::of(3);
    let mut descent = builder().build(&net).expect("it fits");
    let restored =
        Checkpoint::from_bytes(file).and_then(|checkpoint| checkpoint.restore(&mut descent, &net));
    (restored, descent)
}

fn refused(file: Vec<u8>) -> String {
    let (restored, descent) = tried(file);
    assert_eq!(descent.steps(), 0);
    restored.map(|_| ()).expect_err("it is forged").to_string()
}

#[test]
fn a_file_that_is_only_written_anew_is_taken() {
    let (restored, descent) = tried(forged(|_| {}));
    assert!(restored.is_ok() && descent.steps() == 2);
}

#[test]
fn counters_beyond_all_steps_are_refused() {
    let timed = |time| {
        refused(forged(|parts| {
            let old = parts.scalars.insert("state/w.time".into(), Scalar::UInt(time));
            assert_eq!(old, Some(Scalar::UInt(2)));
        }))
    };
    let error = timed(3);
    assert!(error.contains("the state of `w` does not fit it"), "{error}");
    let error = timed(u64::MAX);
    assert!(error.contains("state/w.time makes no sense"), "{error}");
    for counter in ["steps\":2", "skipped\":0", "averaged\":2"] {
        let error = refused(forged(|parts| {
            let header = parts.metadata.get_mut("header").expect("a header");
            let (name, _) = counter.split_once(':').expect("a counter");
            let most = format!("{name}:{}", u64::MAX);
            assert!(header.contains(counter), "{header}");
            *header = header.replace(counter, &most);
        }));
        assert!(error.contains("damaged"), "{error}");
    }
}

/// Whatever a file says of the memory of a search: it is refused, or the search goes on with finite weights.
#[test]
fn a_search_survives_any_memory() {
    let loss = |net: &Net| net.w.val().powi_scalar(4).sum() + (net.b.val() - 1.0).square().sum();
    type Forge = fn(&mut Value, &mut Vec<(String, DType, Shape, Vec<u8>)>);
    let forges: [Forge; 6] = [
        |search, _| each(&mut search["numbers"], |_| json!([])),
        |search, _| each(&mut search["numbers"], |_| json!(vec![f64::NAN.to_bits(); 2])),
        |search, _| each(&mut search["numbers"], |_| json!(vec![1_f64.to_bits(); 1000])),
        |search, _| each(&mut search["vectors"], |_| json!(3)),
        |search, _| each(&mut search["vectors"], |_| json!(u32::MAX)),
        |_, tensors| tensors.retain(|(name, ..)| !name.starts_with("search.")),
    ];
    for (row, forge) in SEARCHES.iter().flat_map(|row| forges.map(|forge| (row, forge))) {
        let begin = || {
            let net = Net::of(3);
            let search = row.build(&[("max_iter", "3")]).expect("allowed");
            let descent = Descent::search(search).build(&net).expect("it fits");
            (net, descent)
        };
        let (mut net, mut descent) = begin();
        for _ in 0..2 {
            (net, ..) = descent.step_with(net, loss).expect("a good step");
        }
        let file = descent.checkpoint(&net).expect("of this model").into_bytes().expect("a file");
        let file = forged_of(file, |parts| {
            let header = parts.metadata.get_mut("header").expect("a header");
            let mut json: Value = serde_json::from_str(header).expect("it is JSON");
            forge(&mut json["search"], &mut parts.tensors);
            *header = json.to_string();
        });
        let (net, mut descent) = begin();
        let restored = Checkpoint::from_bytes(file)
            .and_then(|checkpoint| checkpoint.restore(&mut descent, &net));
        let Ok(mut net) = restored else { continue };
        for _ in 0..3 {
            (net, ..) = descent.step_with(net, loss).expect("a good step");
        }
        let finite = |values: Vec<f64>| values.iter().all(|x| x.is_finite());
        assert!(finite(values(&net.w.val())) && finite(values(&net.b.val())), "{}", row.name);
    }
}

fn each(lists: &mut Value, new: impl Fn(&Value) -> Value) {
    lists.as_object_mut().expect("lists by name").values_mut().for_each(|list| *list = new(list));
}

/// Where a tensor lies in the file is for the file to say: anywhere is a good place.
#[test]
fn a_tensor_that_lies_anywhere_is_read() {
    const KEY: &[u8] = b"data_offsets\x82";
    let file = file();
    let mut moved = 0;
    for at in 0..file.len() - KEY.len() - 6 {
        // Both offsets in two bytes each.
        let place = at + KEY.len();
        if !file[at..].starts_with(KEY) || file[place] != 0x19 || file[place + 3] != 0x19 {
            continue;
        }
        let mut file = file.clone();
        for number in [place + 1, place + 4] {
            let offset = u16::from_be_bytes([file[number], file[number + 1]]) + 1;
            file[number..number + 2].copy_from_slice(&offset.to_be_bytes());
        }
        moved += 1;
        let (restored, mut descent) = tried(with_checksum(file));
        if let Ok(net) = restored {
            let gradients = net.gradients(1);
            assert!(descent.step(net, gradients).is_ok());
        }
    }
    assert!(moved > 4, "{moved} tensors were moved");
}
