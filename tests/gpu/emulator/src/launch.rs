//! A launch: block after block, warp after warp, thread after thread, always in the same order.

use crate::execute::{Fault, Stop, Surroundings, Thread};
use crate::memory::{Hint, Memory};
use crate::program::{Kernel, Special};
use crate::status::Status;
use crate::warp::{self, LANES, Member};

/// What a launch asks for.
#[derive(Clone, Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) grid: [u32; 3],
    pub(crate) block: [u32; 3],
    /// Bytes of shared memory behind those that the kernel has itself.
    pub(crate) shared: u32,
    /// The bytes of all parameters, each where the kernel has it.
    pub(crate) parameters: &'a [u8],
    /// The addresses of the variables of the module.
    pub(crate) variables: &'a [u64],
}

/// The most that a block may have.
const MOST_THREADS: u64 = 1024;
const MOST_SHARED: u64 = 232_448;

/// What shared and local memory is full of at first: NaN in every precision.
const UNWRITTEN: u8 = 0xff;

impl Launch<'_> {
    /// Threads of a block.
    fn threads(&self) -> u64 {
        self.block.iter().fold(1, |all, side| all.saturating_mul((*side).into()))
    }

    /// Threads of all blocks.
    pub(crate) fn all_threads(&self) -> u64 {
        self.grid.iter().fold(self.threads(), |all, side| all.saturating_mul((*side).into()))
    }

    /// Whether a card would take it.
    pub(crate) fn check(&self, kernel: &Kernel) -> Result<(), Status> {
        let threads = self.threads();
        let most = kernel.most_threads.unwrap_or(MOST_THREADS).min(MOST_THREADS);
        let shared = kernel.shared + u64::from(self.shared);
        if self.all_threads() == 0 || threads > most || shared > MOST_SHARED {
            return Err(Status::INVALID_VALUE);
        }
        Ok(())
    }
}

/// Memory of launches that is kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    registers: Vec<u64>,
    local: Vec<u8>,
    shared: Vec<u8>,
    hints: Vec<Hint>,
}

/// Runs a kernel.
pub(crate) fn run(
    kernel: &Kernel,
    launch: &Launch,
    memory: &mut Memory,
    scratch: &mut Scratch,
) -> Result<(), Fault> {
    let threads = launch.threads() as usize;
    // threads that meet nobody can have the same registers, one after another
    let files = if kernel.meets { threads } else { 1 };
    scratch.registers.resize(files * kernel.registers, 0);
    scratch.local.resize(files * kernel.local as usize, 0);
    scratch.shared.clear();
    scratch.shared.resize(kernel.shared as usize + launch.shared as usize, UNWRITTEN);
    scratch.hints.clear();
    scratch.hints.resize(kernel.instructions.len(), Hint::default());
    let mut members: Vec<Member> = split(&mut scratch.registers, kernel.registers, files)
        .zip(split(&mut scratch.local, kernel.local as usize, files))
        .map(|(registers, local)| Member { thread: Thread { registers, local, at: 0 }, stop: None })
        .collect();
    let mut around = Surroundings {
        kernel,
        memory,
        hints: &mut scratch.hints,
        parameters: launch.parameters,
        shared: &mut scratch.shared,
    };
    for member in &mut members {
        set_constants(kernel, launch, &mut member.thread);
    }
    let [x, y, z] = launch.grid;
    let blocks = (0..z).flat_map(|z| (0..y).flat_map(move |y| (0..x).map(move |x| [x, y, z])));
    for block in blocks {
        for (number, member) in members.iter_mut().enumerate() {
            set_special(kernel, &mut member.thread, |special| match special {
                Special::Block(axis) => Some(block[axis].into()),
                _ => None,
            });
            set_place(kernel, launch, &mut member.thread, number);
        }
        if kernel.meets {
            run_block(&mut members, &mut around)?;
        } else {
            let thread = &mut members[0].thread;
            for number in 0..threads {
                set_place(kernel, launch, thread, number);
                start(thread);
                thread.run(&mut around)?;
            }
        }
        around.shared.fill(UNWRITTEN);
    }
    Ok(())
}

/// `all` in parts of `size`, which may be nothing.
fn split<T>(all: &mut [T], size: usize, parts: usize) -> impl Iterator<Item = &mut [T]> {
    let mut rest = all;
    (0..parts).map(move |_| {
        let (part, others) = core::mem::take(&mut rest).split_at_mut(size);
        rest = others;
        part
    })
}

/// Lets a thread begin.
fn start(thread: &mut Thread) {
    thread.at = 0;
    // filling nothing costs a tenth of a microsecond on processors that mask the store
    if !thread.local.is_empty() {
        thread.local.fill(UNWRITTEN);
    }
}

/// Runs the threads of a block that meet each other.
fn run_block(members: &mut [Member], around: &mut Surroundings) -> Result<(), Fault> {
    for member in members.iter_mut() {
        start(&mut member.thread);
        member.stop = None;
    }
    loop {
        for warp in members.chunks_mut(LANES) {
            warp::run(warp, around)?;
        }
        // now all that have not ended wait at a barrier
        let mut waiting = false;
        for member in members.iter_mut().filter(|member| member.stop != Some(Stop::Ended)) {
            member.stop = None;
            waiting = true;
        }
        if !waiting {
            return Ok(());
        }
    }
}

fn set_constants(kernel: &Kernel, launch: &Launch, thread: &mut Thread) {
    for (value, slot) in &kernel.constants {
        thread.set(*slot, *value);
    }
    for (variable, offset, slot) in &kernel.globals {
        thread.set(*slot, launch.variables[*variable].wrapping_add_signed(*offset));
    }
    set_special(kernel, thread, |special| match special {
        Special::Threads(axis) => Some(launch.block[axis].into()),
        Special::Blocks(axis) => Some(launch.grid[axis].into()),
        _ => None,
    });
}

/// The registers that tell a thread which of its block it is.
fn set_place(kernel: &Kernel, launch: &Launch, thread: &mut Thread, number: usize) {
    let [x, y, _] = launch.block.map(|side| side as usize);
    set_special(kernel, thread, |special| match special {
        Special::Thread(0) => Some((number % x) as u64),
        Special::Thread(1) => Some((number / x % y) as u64),
        Special::Thread(_) => Some((number / (x * y)) as u64),
        Special::Lane => Some((number % LANES) as u64),
        Special::Warp => Some((number / LANES) as u64),
        _ => None,
    });
}

fn set_special(kernel: &Kernel, thread: &mut Thread, value: impl Fn(Special) -> Option<u64>) {
    for (special, slot) in &kernel.special {
        if let Some(value) = value(*special) {
            thread.set(*slot, value);
        }
    }
}
