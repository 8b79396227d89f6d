//! Addresses: which memory they mean, and whether it is there.

use super::{Fault, Surroundings, Thread};
use crate::program::{Address, Shape, Slot, Space};
use crate::status::Status;

/// Where the spaces of a block and of a thread begin among generic addresses.
const SHARED: u64 = 1 << 56;
const LOCAL: u64 = 2 << 56;
const PARAMETER: u64 = 3 << 56;

/// What is added to an address of a space to make it generic.
pub(super) fn window(space: Space) -> u64 {
    match space {
        Space::Generic | Space::Global => 0,
        Space::Shared => SHARED,
        Space::Local => LOCAL,
        Space::Parameter => PARAMETER,
    }
}

/// The space of a generic address, and the address in it.
#[inline]
fn resolve(space: Space, address: u64) -> (Space, u64) {
    if space != Space::Generic {
        return (space, address);
    }
    let space = match address >> 56 {
        1 => Space::Shared,
        2 => Space::Local,
        3 => Space::Parameter,
        _ => return (Space::Global, address),
    };
    (space, address & (SHARED - 1))
}

/// The number in the first bytes of `bytes`.
#[inline]
pub(crate) fn number(bytes: &[u8], width: u8) -> u64 {
    match (width, bytes) {
        (1, [a, ..]) => u64::from(*a),
        (2, [a, b, ..]) => u64::from(u16::from_le_bytes([*a, *b])),
        (4, [a, b, c, d, ..]) => u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
        (8, [a, b, c, d, e, f, g, h, ..]) => u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        _ => 0,
    }
}

/// The numbers of `WIDTH` bytes that lie side by side.
#[inline]
fn numbers<const WIDTH: usize>(bytes: &[u8], signed: bool) -> [u64; 4] {
    let mut values = [0; 4];
    for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(WIDTH)) {
        *value = number(bytes, WIDTH as u8);
        if signed {
            let unused = 64 - 8 * WIDTH as u32;
            *value = ((*value << unused) as i64 >> unused) as u64;
        }
    }
    values
}

#[inline]
fn set_numbers<const WIDTH: usize>(bytes: &mut [u8], values: [u64; 4]) {
    for (bytes, value) in bytes.chunks_exact_mut(WIDTH).zip(values) {
        bytes.copy_from_slice(&value.to_le_bytes()[..WIDTH]);
    }
}

impl Thread<'_> {
    /// The address of an operand.
    #[inline]
    pub(crate) fn address(&self, operand: Address) -> u64 {
        self.get(operand.base).wrapping_add_signed(i64::from(operand.offset))
    }

    /// The bytes at an address, to be read; none, if they are no memory or not aligned.
    #[inline]
    pub(crate) fn bytes<'a>(
        &'a self,
        around: &'a mut Surroundings,
        space: Space,
        address: u64,
        bytes: usize,
    ) -> Option<&'a [u8]> {
        let (space, place) = resolve(space, address);
        if place & (bytes as u64 - 1) != 0 {
            return None;
        }
        match space {
            Space::Shared => around.shared.get(place as usize..)?.get(..bytes),
            Space::Local => self.local.get(place as usize..)?.get(..bytes),
            Space::Parameter => around.parameters.get(place as usize..)?.get(..bytes),
            Space::Global | Space::Generic => {
                around.memory.read(&mut around.hints[self.at], place, bytes)
            }
        }
    }

    /// The bytes at an address, to be written; none, if they are no memory or not aligned.
    #[inline]
    pub(crate) fn bytes_mut<'a>(
        &'a mut self,
        around: &'a mut Surroundings,
        space: Space,
        address: u64,
        bytes: usize,
    ) -> Option<&'a mut [u8]> {
        let (space, place) = resolve(space, address);
        if place & (bytes as u64 - 1) != 0 {
            return None;
        }
        match space {
            Space::Shared => around.shared.get_mut(place as usize..)?.get_mut(..bytes),
            Space::Local => self.local.get_mut(place as usize..)?.get_mut(..bytes),
            Space::Parameter => None,
            Space::Global | Space::Generic => {
                around.memory.write(&mut around.hints[self.at], place, bytes)
            }
        }
    }

    /// What is wrong with an address.
    #[cold]
    pub(crate) fn fault(
        &self,
        around: &Surroundings,
        space: Space,
        address: u64,
        bytes: usize,
    ) -> Fault {
        let (space, place) = resolve(space, address);
        let (status, text) = if place & (bytes as u64 - 1) != 0 {
            (Status::MISALIGNED_ADDRESS, format!("no multiple of {bytes} bytes"))
        } else {
            let text = match space {
                Space::Shared => format!("the block has {} bytes", around.shared.len()),
                Space::Local => format!("the thread has {} bytes", self.local.len()),
                Space::Parameter => format!("there are {} bytes", around.parameters.len()),
                Space::Global | Space::Generic => around.memory.nearest(place),
            };
            (Status::ILLEGAL_ADDRESS, text)
        };
        let space = match space {
            Space::Shared => "shared",
            Space::Local => "local",
            Space::Parameter => "parameter",
            Space::Global | Space::Generic => "global",
        };
        let text = format!("{bytes} bytes of {space} memory at {place:#x}: {text}");
        Fault { status, text, at: self.at }
    }

    #[inline]
    pub(super) fn load(
        &mut self,
        around: &mut Surroundings,
        shape: Shape,
        from: Address,
        to: &[Slot; 4],
    ) -> Result<(), Fault> {
        let address = self.address(from);
        let width = usize::from(shape.bytes);
        let all = width * usize::from(shape.lanes);
        let Some(bytes) = self.bytes(around, from.space, address, all) else {
            return Err(self.fault(around, from.space, address, all));
        };
        let values = match shape.bytes {
            1 => numbers::<1>(bytes, shape.signed),
            2 => numbers::<2>(bytes, shape.signed),
            4 => numbers::<4>(bytes, shape.signed),
            _ => numbers::<8>(bytes, shape.signed),
        };
        for (slot, value) in to.iter().zip(values).take(usize::from(shape.lanes)) {
            self.set(*slot, value);
        }
        Ok(())
    }

    #[inline]
    pub(super) fn store(
        &mut self,
        around: &mut Surroundings,
        shape: Shape,
        to: Address,
        from: &[Slot; 4],
    ) -> Result<(), Fault> {
        let address = self.address(to);
        let width = usize::from(shape.bytes);
        let lanes = usize::from(shape.lanes);
        let mut values = [0; 4];
        for (value, slot) in values.iter_mut().zip(from).take(lanes) {
            *value = self.get(*slot);
        }
        let Some(bytes) = self.bytes_mut(around, to.space, address, width * lanes) else {
            return Err(self.fault(around, to.space, address, width * lanes));
        };
        match shape.bytes {
            1 => set_numbers::<1>(bytes, values),
            2 => set_numbers::<2>(bytes, values),
            4 => set_numbers::<4>(bytes, values),
            _ => set_numbers::<8>(bytes, values),
        }
        Ok(())
    }
}
