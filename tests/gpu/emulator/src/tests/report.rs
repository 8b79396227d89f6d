use super::{Bench, around};
use crate::device::Device;
use crate::report::Wishes;

#[test]
fn launches_that_do_nothing_are_counted() {
    let mut bench = Bench { device: Device::new(Wishes { run: Some(1), ..Wishes::default() }) };
    let (to, from) = (bench.memory(&[5; 64]), bench.memory(&[1; 256]));
    assert_eq!(bench.launch(&around("mov.b64 %d, 6;"), 2, 32, &[to, from]), Ok(()));
    assert_eq!(bench.launch(&around("mov.b64 %d, 7;"), 2, 32, &[to, from]), Ok(()));
    assert_eq!(bench.numbers(to, 64), [6; 64]);
    let line = "ptx emulator: 2 launches of 2 kernels, 2 modules, 128 threads, 2 allocations of 2560 bytes, 0 faults";
    assert_eq!(bench.device.counters.line(), line);
}

#[test]
fn modules_are_written_down() {
    let folder = std::env::temp_dir().join(format!("ptx-emulator-{}", std::process::id()));
    let wishes = Wishes { dump: Some(folder.clone()), ..Wishes::default() };
    let mut device = Device::new(wishes);
    let (one, other) = (around("mov.b64 %d, 7;"), around("mov.b64 %d, 8;"));
    for text in [&one, &other, &one] {
        assert!(device.load(text).is_ok());
    }
    let mut texts: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .inspect(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(name.starts_with("piece-") && name.ends_with(".ptx"), "{name}");
        })
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    std::fs::remove_dir_all(&folder).unwrap();
    texts.sort();
    assert_eq!(texts, [one, other]);
}
