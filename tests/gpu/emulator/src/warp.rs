//! What the threads of a warp do together.

use crate::execute::{Fault, Stop, Surroundings, Thread};
use crate::matrix;
use crate::program::{Operation, Shuffle, Slot, Vote, WarpAction};
use crate::status::Status;

/// Threads of a warp.
pub(crate) const LANES: usize = 32;

/// One thread of a block, and why it does not go on.
pub(crate) struct Member<'a> {
    pub(crate) thread: Thread<'a>,
    /// Nothing, while it can.
    pub(crate) stop: Option<Stop>,
}

/// Runs a warp until all of its threads have ended or wait for the block.
pub(crate) fn run(warp: &mut [Member], around: &mut Surroundings) -> Result<(), Fault> {
    loop {
        for member in warp.iter_mut().filter(|member| member.stop.is_none()) {
            member.stop = Some(member.thread.run(around)?);
        }
        // of those that wait for each other, first the ones that are behind
        let waits = |member: &&Member| member.stop == Some(Stop::Warp);
        let Some(at) = warp.iter().filter(waits).map(|member| member.thread.at).min() else {
            return Ok(());
        };
        let mut active = 0u32;
        for (lane, member) in warp.iter().enumerate() {
            if member.stop == Some(Stop::Warp) && member.thread.at == at {
                active |= 1 << lane;
            }
        }
        let Operation::Warp(action) = &around.kernel.instructions[at].operation else {
            let text = "no operation of a warp".into();
            return Err(Fault { status: Status::LAUNCH_FAILED, text, at });
        };
        if matches!(act(action, active, warp, around)?, Done::Incomplete) {
            let text = format!("a matrix needs all 32 threads of a warp; here are {active:#x}");
            return Err(Fault { status: Status::LAUNCH_FAILED, text, at });
        }
        for (_, member) in lanes(warp, active) {
            member.thread.at += 1;
            member.stop = None;
        }
    }
}

/// Whether enough threads came for what the warp was to do.
enum Done {
    Whole,
    Incomplete,
}

fn lanes<'a, 'b>(
    warp: &'a mut [Member<'b>],
    active: u32,
) -> impl Iterator<Item = (usize, &'a mut Member<'b>)> {
    warp.iter_mut().enumerate().filter(move |(lane, _)| active >> lane & 1 == 1)
}

fn act(
    action: &WarpAction,
    active: u32,
    warp: &mut [Member],
    around: &mut Surroundings,
) -> Result<Done, Fault> {
    match action {
        WarpAction::Meet => {}
        WarpAction::Active { to } => {
            for (_, member) in lanes(warp, active) {
                member.thread.set(*to, active.into());
            }
        }
        WarpAction::Vote { vote, negate, to, from } => {
            let mut yes = 0u32;
            for (lane, member) in lanes(warp, active) {
                let votes = (member.thread.get(*from) & 1 == 1) != *negate;
                yes |= u32::from(votes) << lane;
            }
            let result = match vote {
                Vote::All => u32::from(yes == active),
                Vote::Any => u32::from(yes != 0),
                Vote::Uniform => u32::from(yes == 0 || yes == active),
                Vote::Ballot => yes,
            };
            for (_, member) in lanes(warp, active) {
                member.thread.set(*to, result.into());
            }
        }
        WarpAction::Shuffle { shuffle, to, inside, from, lane, clamp } => {
            let mut values = [0; LANES];
            for (lane, member) in lanes(warp, active) {
                values[lane] = member.thread.get(*from);
            }
            for (own, member) in lanes(warp, active) {
                let other = member.thread.get(*lane) as u32;
                let clamp = member.thread.get(*clamp) as u32;
                let source = source(*shuffle, own as u32, other, clamp);
                let value = values[source.unwrap_or(own as u32) as usize % LANES];
                member.thread.set(*to, value);
                member.thread.set(*inside, u64::from(source.is_some()));
            }
        }
        _ if warp.len() < LANES || active != u32::MAX => return Ok(Done::Incomplete),
        WarpAction::LoadFragment(fragment) => matrix::load(fragment, warp, around)?,
        WarpAction::StoreFragment(fragment) => matrix::store(fragment, warp, around)?,
        WarpAction::MultiplyFragments(product) => {
            matrix::multiply(product, warp);
        }
    }
    Ok(Done::Whole)
}

/// The lane that `own` reads, if it is one of its segment.
fn source(shuffle: Shuffle, own: u32, other: u32, clamp: u32) -> Option<u32> {
    let (segment, clamp, other) = (clamp >> 8 & 31, clamp & 31, other & 31);
    let most = own & segment | clamp & !segment;
    let source = match shuffle {
        Shuffle::Up => return own.checked_sub(other).filter(|source| *source >= most),
        Shuffle::Down => own + other,
        Shuffle::Butterfly => own ^ other,
        Shuffle::Index => own & segment | other & !segment,
    };
    (source <= most).then_some(source)
}

/// The register of a lane.
pub(crate) fn register<'a>(warp: &'a mut [Member], lane: usize, slot: Slot) -> &'a mut u64 {
    &mut warp[lane].thread.registers[slot.0 as usize]
}
