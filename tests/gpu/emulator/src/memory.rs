//! The memory of the device: allocations, at addresses that are never used again.
//!
//! An address is a number, not a place of this process: an allocation is made of pages that come into being
//! when they are first written. What was never written reads as NaN in every precision.

use crate::status::Status;
use std::collections::BTreeMap;

/// Bytes of the device.
pub(crate) const TOTAL: u64 = 16 << 30;

/// What fresh memory is full of: a NaN in f16, bf16, f32 and f64.
const FRESH: u8 = 0xff;

const PAGE: usize = 1 << 16;
type Page = [u8; PAGE];
static FRESH_PAGE: Page = [FRESH; PAGE];

/// The first address. Those below are no memory, and neither is what lies between allocations.
const FIRST: u64 = 1 << 36;
const ALIGNMENT: u64 = 1 << 12;

/// The memory of the device.
#[derive(Debug)]
pub(crate) struct Memory {
    /// All allocations there have been.
    allocations: Vec<Allocation>,
    /// Those that live, by their addresses.
    live: BTreeMap<u64, usize>,
    next: u64,
    used: u64,
}

#[derive(Debug)]
struct Allocation {
    start: u64,
    /// As it was asked for; none, once it is freed.
    size: u64,
    pages: Vec<Option<Box<Page>>>,
}

/// Which allocation was met last at one place of a program: it most often is the same again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hint(usize);

impl Memory {
    pub(crate) fn new() -> Self {
        Self { allocations: Vec::new(), live: BTreeMap::new(), next: FIRST, used: 0 }
    }

    /// `size` bytes.
    pub(crate) fn allocate(&mut self, size: u64) -> Result<u64, Status> {
        if size == 0 {
            return Err(Status::INVALID_VALUE);
        }
        if size > TOTAL - self.used {
            return Err(Status::OUT_OF_MEMORY);
        }
        let start = self.next;
        self.next = (start + size).next_multiple_of(ALIGNMENT) + ALIGNMENT;
        self.used += size;
        self.live.insert(start, self.allocations.len());
        let mut pages = Vec::new();
        pages.resize_with(size.div_ceil(PAGE as u64) as usize, || None);
        self.allocations.push(Allocation { start, size, pages });
        Ok(start)
    }

    /// Ends the allocation that starts at `address`.
    pub(crate) fn free(&mut self, address: u64) -> Result<(), Status> {
        let number = self.live.remove(&address).ok_or(Status::INVALID_VALUE)?;
        let allocation = &mut self.allocations[number];
        self.used -= allocation.size;
        allocation.size = 0;
        allocation.pages = Vec::new();
        Ok(())
    }

    /// Bytes that are not allocated.
    pub(crate) fn left(&self) -> u64 {
        TOTAL - self.used
    }

    /// Whether these bytes lie inside one allocation.
    pub(crate) fn holds(&self, address: u64, bytes: u64) -> bool {
        self.find(address, bytes).is_some()
    }

    fn find(&self, address: u64, bytes: u64) -> Option<usize> {
        let (_, number) = self.live.range(..=address).next_back()?;
        self.allocations[*number].offset(address, bytes).map(|_| *number)
    }

    /// The allocation that holds these bytes, and how far behind its start.
    #[inline]
    fn locate(&self, hint: &mut Hint, address: u64, bytes: u64) -> Option<(usize, usize)> {
        if let Some(offset) = self.allocations.get(hint.0).and_then(|a| a.offset(address, bytes)) {
            return Some((hint.0, offset));
        }
        let number = self.find(address, bytes)?;
        *hint = Hint(number);
        self.allocations[number].offset(address, bytes).map(|offset| (number, offset))
    }

    /// Bytes to be read, which must lie in one page: those of an aligned access do.
    #[inline]
    pub(crate) fn read(&self, hint: &mut Hint, address: u64, bytes: usize) -> Option<&[u8]> {
        let (number, offset) = self.locate(hint, address, bytes as u64)?;
        let page = self.allocations[number].pages[offset / PAGE].as_deref().unwrap_or(&FRESH_PAGE);
        page.get(offset % PAGE..offset % PAGE + bytes)
    }

    /// Bytes to be written, which must lie in one page.
    #[inline]
    pub(crate) fn write(
        &mut self,
        hint: &mut Hint,
        address: u64,
        bytes: usize,
    ) -> Option<&mut [u8]> {
        let (number, offset) = self.locate(hint, address, bytes as u64)?;
        let page = self.allocations[number].pages[offset / PAGE].get_or_insert_with(fresh);
        page.get_mut(offset % PAGE..offset % PAGE + bytes)
    }

    /// Gives `each` all bytes from `address` on, piece by piece.
    pub(crate) fn read_all(
        &self,
        address: u64,
        bytes: usize,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Status> {
        let number = self.find(address, bytes as u64).ok_or(Status::INVALID_VALUE)?;
        let allocation = &self.allocations[number];
        for (page, from, to) in pieces((address - allocation.start) as usize, bytes) {
            each(&allocation.pages[page].as_deref().unwrap_or(&FRESH_PAGE)[from..to]);
        }
        Ok(())
    }

    /// Gives `each` all bytes from `address` on to be written, piece by piece.
    pub(crate) fn write_all(
        &mut self,
        address: u64,
        bytes: usize,
        mut each: impl FnMut(&mut [u8]),
    ) -> Result<(), Status> {
        let number = self.find(address, bytes as u64).ok_or(Status::INVALID_VALUE)?;
        let allocation = &mut self.allocations[number];
        for (page, from, to) in pieces((address - allocation.start) as usize, bytes) {
            each(&mut allocation.pages[page].get_or_insert_with(fresh)[from..to]);
        }
        Ok(())
    }

    /// In words, what lies nearest to an address that is no memory.
    pub(crate) fn nearest(&self, address: u64) -> String {
        let above = self.live.range(address..).next();
        let below = self.live.range(..=address).next_back();
        let freed = self.allocations.iter().any(|a| a.size == 0 && a.start == address);
        let nearest = match (below, above) {
            (Some((start, number)), _) => {
                let size = self.allocations[*number].size;
                format!("{} bytes behind the start of {size} bytes at {start:#x}", address - start)
            }
            (None, Some((start, number))) => {
                let size = self.allocations[*number].size;
                format!("{} bytes before {size} bytes at {start:#x}", start - address)
            }
            (None, None) => "nothing is allocated".into(),
        };
        if freed { format!("freed before; {nearest}") } else { nearest }
    }
}

impl Allocation {
    #[inline]
    fn offset(&self, address: u64, bytes: u64) -> Option<usize> {
        let offset = address.wrapping_sub(self.start);
        (offset < self.size && bytes <= self.size - offset).then_some(offset as usize)
    }
}

fn fresh() -> Box<Page> {
    vec![FRESH; PAGE].into_boxed_slice().try_into().unwrap_or_else(|_| Box::new(FRESH_PAGE))
}

/// The pages under `bytes` bytes from `offset` on, and which part of each.
fn pieces(offset: usize, bytes: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let (end, mut at) = (offset + bytes, offset);
    core::iter::from_fn(move || {
        let (page, from) = (at / PAGE, at % PAGE);
        let to = PAGE.min(from + (end - at));
        at += to - from;
        (to > from).then_some((page, from, to))
    })
}
