//! Pieces of PTX, held against Rust's own arithmetic.

mod control;
mod convert;
mod float;
mod integer;
mod memory;
mod number;
mod report;
mod warp;

use crate::device::Device;
use crate::report::Wishes;
use crate::status::Status;

/// A device and what is done with it in a test.
struct Bench {
    device: Device,
}

/// What stands around a piece: its thread has three numbers in `%a`, `%b`, `%c`, and leaves one in `%d`.
fn around(piece: &str) -> String {
    format!(
        ".version 8.8\n.target sm_90\n.address_size 64\n\n\
         .visible .entry piece(.param .u64 .ptr .align 8 piece_0, .param .u64 piece_1)\n{{\n\
         \t.reg .b64 %rd<10>;\n\t.reg .b32 %r<20>;\n\t.reg .b16 %h<10>;\n\t.reg .pred %p<10>;\n\
         \t.reg .b64 %a, %b, %c, %d;\n\
         \tmov.u32 %r17, %ctaid.x; // its block\n\tmov.u32 %r18, %ntid.x;\n\tmov.u32 %r19, %tid.x;\n\
         \tmad.lo.s32 %r19, %r17, %r18, %r19;\n\tmul.wide.u32 %rd8, %r19, 32;\n\
         \tld.param.b64 %rd9, [piece_1];\n\tadd.s64 %rd9, %rd9, %rd8;\n\
         \tld.global.v2.b64 {{%a, %b}}, [%rd9];\n\tld.global.b64 %c, [%rd9+16];\n\
         {piece}\n\
         \tmul.wide.u32 %rd8, %r19, 8;\n\tld.param.b64 %rd9, [piece_0];\n\tadd.s64 %rd9, %rd9, %rd8;\n\
         \tst.global.b64 [%rd9], %d;\n\tret;\n}}\n"
    )
}

impl Bench {
    fn new() -> Self {
        Self { device: Device::new(Wishes::default()) }
    }

    /// The address of memory that holds `numbers`.
    fn memory(&mut self, numbers: &[u64]) -> u64 {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let address = self.device.allocate(bytes.len() as u64).unwrap();
        let mut rest = bytes.as_slice();
        let written = self.device.memory.write_all(address, bytes.len(), |piece| {
            let (now, later) = rest.split_at(piece.len());
            piece.copy_from_slice(now);
            rest = later;
        });
        assert_eq!(written, Ok(()));
        address
    }

    /// `count` numbers that lie at an address.
    fn numbers(&self, address: u64, count: usize) -> Vec<u64> {
        let mut bytes = Vec::new();
        let read = self.device.memory.read_all(address, 8 * count, |piece| bytes.extend(piece));
        assert_eq!(read, Ok(()));
        bytes.chunks_exact(8).map(|n| u64::from_le_bytes(n.try_into().unwrap())).collect()
    }

    /// Loads a module and launches its first kernel, with numbers as its parameters.
    fn launch(
        &mut self,
        ptx: &str,
        grid: u32,
        block: u32,
        parameters: &[u64],
    ) -> Result<(), Status> {
        let module = self.device.load(ptx)?;
        let name = ptx.split(".entry ").nth(1).unwrap().split('(').next().unwrap();
        let function = self.device.function(module, name)?;
        let mut bytes = vec![0; 16 * parameters.len()];
        for ((place, size), parameter) in self.device.parameters(function)?.iter().zip(parameters) {
            bytes[*place..place + size].copy_from_slice(&parameter.to_le_bytes()[..*size]);
        }
        self.device.launch(function, [grid, 1, 1], [block, 1, 1], 0, &bytes)
    }
}

/// What a piece makes of each three numbers.
fn each(piece: &str, inputs: &[[u64; 3]]) -> Vec<u64> {
    try_each(piece, inputs).unwrap_or_else(|status| panic!("{status:?} of {piece}"))
}

fn try_each(piece: &str, inputs: &[[u64; 3]]) -> Result<Vec<u64>, Status> {
    let mut bench = Bench::new();
    let block = inputs.len().clamp(1, 256);
    let grid = inputs.len().div_ceil(block);
    let mut numbers: Vec<u64> = inputs.iter().flat_map(|[a, b, c]| [*a, *b, *c, 0]).collect();
    numbers.resize(grid * block * 4, 0);
    let from = bench.memory(&numbers);
    let to = bench.memory(&vec![0; grid * block]);
    bench.launch(&around(piece), grid as u32, block as u32, &[to, from])?;
    let mut results = bench.numbers(to, grid * block);
    results.truncate(inputs.len());
    Ok(results)
}

/// What a piece makes of three numbers.
fn one(piece: &str, a: u64, b: u64, c: u64) -> u64 {
    each(piece, &[[a, b, c]])[0]
}

/// Numbers without an order: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// `count` times three numbers of all sizes.
    fn inputs(&mut self, count: usize) -> Vec<[u64; 3]> {
        let mut number = || {
            let (bits, shift) = (self.next(), self.next() % 64);
            if bits & 1 == 0 { bits >> shift } else { ((bits as i64) >> shift) as u64 }
        };
        (0..count).map(|_| [number(), number(), number()]).collect()
    }

    /// `count` times three f32 with exponents that are near enough to each other.
    fn singles(&mut self, count: usize) -> Vec<[f32; 3]> {
        let mut number = || {
            let bits = self.next() as u32;
            let exponent = 96 + (self.next() % 64) as u32;
            f32::from_bits(bits & 0x807f_ffff | exponent << 23)
        };
        (0..count).map(|_| [number(), number(), number()]).collect()
    }
}

/// The bits of numbers in f32.
fn bits(numbers: &[[f32; 3]]) -> Vec<[u64; 3]> {
    numbers.iter().map(|three| three.map(|number| u64::from(number.to_bits()))).collect()
}
