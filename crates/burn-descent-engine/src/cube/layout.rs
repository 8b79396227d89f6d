//! Where the elements of a tensor lie in its buffer.
//!
//! CUDA and ROCm pad the rows of a tensor, and a tensor may be a view. A kernel is told how far to go,
//! and asks no buffer for its length.

use crate::grid::Grid;
use burn_cubecl::kernel::untile;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use cubecl::std::tensor::copy_into;
use cubecl::zspace::metadata::Metadata;
use std::cmp::Reverse;

/// Units of a workgroup, of which every device has as many: one kernel for tensors of all sizes.
const BLOCK: u32 = 256;

/// Places of a buffer for each element, at most. CubeCL pads a row of two halves to eight places;
/// what has more is a view of few elements of many.
const SPARSEST: usize = 4;

/// Rows without gaps between their elements, a step apart, in any order of the dimensions. There is one
/// element at least.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    meta: Metadata,
    rows: usize,
    /// The elements of a row.
    row: usize,
    /// From the start of a row to the start of the next.
    pitch: usize,
    /// Do they lie in the order of their places in the tensor?
    in_order: bool,
}

/// The length and the stride of each dimension in which there is more than one element: of another, the
/// stride tells nothing.
fn strides(meta: &Metadata) -> impl Iterator<Item = (usize, usize)> {
    let dims = meta.shape().iter().copied().zip(meta.strides().iter().copied());
    dims.filter(|(length, _)| *length != 1)
}

impl Layout {
    /// The layout of a tensor, if it is of this kind.
    pub(super) fn of(tensor: &CubeTensor) -> Option<Self> {
        if tensor.meta.is_tiled() {
            return None;
        }
        let mut dims: Vec<_> = strides(&tensor.meta).collect();
        let in_order = dims.is_sorted_by_key(|(_, stride)| Reverse(*stride));
        dims.sort_unstable_by_key(|(_, stride)| *stride);
        let mut layout = Self { meta: (*tensor.meta).clone(), rows: 1, row: 1, pitch: 1, in_order };
        for (length, stride) in dims {
            let dense = layout.rows * layout.pitch;
            if layout.rows == 1 && stride == dense {
                layout.row *= length;
                layout.pitch = layout.row;
            } else if layout.rows == 1 && (dense..=SPARSEST * dense).contains(&stride) {
                (layout.rows, layout.pitch) = (length, stride);
            } else if stride == dense {
                layout.rows *= length;
            } else {
                return None;
            }
        }
        layout.holds(tensor, layout.places()).then_some(layout)
    }

    /// Elements one after another, as they are in the tensor.
    pub(super) fn contiguous(like: &CubeTensor) -> Self {
        let mut meta = (*like.meta).clone();
        let mut count = 1;
        for dim in (0..meta.rank()).rev() {
            meta.strides_mut()[dim] = count;
            count *= meta.shape()[dim];
        }
        Self { meta, rows: 1, row: count, pitch: count, in_order: true }
    }

    /// The same places as these lines of one length, one after another, if each line is without gaps.
    pub(super) fn of_lines(&self, grid: &Grid) -> Option<Self> {
        let pitch = match self.rows {
            1 => grid.length,
            _ if self.row == grid.length => self.pitch,
            _ => return None,
        };
        let layout = Self { rows: grid.all_lines, row: grid.length, pitch, ..self.clone() };
        self.in_order.then_some(layout)
    }

    /// Do the elements lie in the order of their places in the tensor?
    pub(super) fn is_in_order(&self) -> bool {
        self.in_order
    }

    /// Places up to the last element.
    fn places(&self) -> usize {
        (self.rows - 1) * self.pitch + self.row
    }

    /// Has the buffer of a tensor so many places?
    fn holds(&self, tensor: &CubeTensor, places: usize) -> bool {
        places * tensor.dtype.size() <= tensor.handle.size_in_used() as usize
    }

    /// The tensor in this layout: as it is, or copied.
    pub(super) fn lay(&self, tensor: CubeTensor) -> CubeTensor {
        if self.is_of(&tensor) { tensor } else { self.copy(tensor) }
    }

    /// Is the same place of a tensor the same element?
    fn is_of(&self, tensor: &CubeTensor) -> bool {
        !tensor.meta.is_tiled()
            && strides(&tensor.meta).eq(strides(&self.meta))
            && self.holds(tensor, self.places())
    }

    /// The tensor in this layout, in a buffer that nobody else holds.
    pub(super) fn lay_alone(&self, tensor: CubeTensor) -> CubeTensor {
        let tensor = self.lay(tensor);
        if tensor.can_mut() { tensor } else { self.copy(tensor) }
    }

    /// Has the buffer of each tensor places for whole vectors of this width?
    pub(super) fn holds_vectors(&self, tensors: &[&CubeTensor], width: usize) -> bool {
        let whole = self.places().next_multiple_of(width);
        tensors.iter().all(|tensor| self.holds(tensor, whole))
    }

    fn copy(&self, tensor: CubeTensor) -> CubeTensor {
        let mut tensor = untile(tensor);
        let (client, element) = (tensor.client.clone(), super::arguments::stored_type(&tensor));
        // Room for the widest load there is, so that no odd length is stepped one by one.
        let bytes = (self.places() * tensor.dtype.size()).next_multiple_of(WIDEST);
        let buffer = client.empty(bytes);
        let with = |meta| {
            let (device, dtype) = (tensor.device.clone(), tensor.dtype);
            CubeTensor::new(client.clone(), buffer.clone(), meta, device, dtype)
        };
        // CubeCL's copy does not write over any strides. It knows padded rows, and may read in another
        // shape: from the first place to the last.
        let copy = with(self.meta.clone());
        let rows = with(Metadata::new([self.rows, self.row], [self.pitch, 1]));
        let (shape, strides) = (self.meta.shape(), self.meta.strides());
        let mut axes: Vec<_> = (0..shape.len()).collect();
        axes.sort_by_key(|&axis| (shape[axis] != 1, Reverse(strides[axis])));
        tensor.meta.permute(&axes).expect("each axis once");
        copy_into(&client, tensor.binding(), rows.binding(), element);
        copy
    }
}

/// Bytes of the widest load of any device.
const WIDEST: usize = 16;

/// How a kernel goes over the elements of tensors that have one layout: in vectors of `width`.
pub(super) struct Walk {
    pub(super) width: usize,
    pub(super) units: usize,
    pub(super) row: usize,
    pitch: usize,
    pub(super) padded: bool,
}

impl Walk {
    /// Over what there is one number of for each row, column and so on, one by one.
    pub(super) fn numbers(grid: &Grid) -> Self {
        let Grid { length, all_lines, .. } = *grid;
        Self { width: 1, units: all_lines * length, row: length, pitch: length, padded: false }
    }

    /// Over all places, padding too, for what is done with each element by itself. Nobody reads
    /// padding, so what is written there is of no matter.
    pub(super) fn places(layout: &Layout, tensors: &[&CubeTensor]) -> Self {
        let places = layout.places();
        let width = widest(tensors, |width| layout.holds_vectors(tensors, width));
        Self { width, units: places.div_ceil(width), row: 1, pitch: 1, padded: false }
    }

    /// Over the elements and nothing else.
    pub(super) fn elements(layout: &Layout, tensors: &[&CubeTensor]) -> Self {
        let Layout { rows, row, pitch, .. } = *layout;
        let padded = row != pitch;
        let divides = |width| row.is_multiple_of(width) && (!padded || pitch.is_multiple_of(width));
        let width = widest(tensors, divides);
        let (row, pitch) = (row / width, pitch / width);
        Self { width, units: rows * row, row, pitch, padded }
    }

    pub(super) fn launch(&self) -> RowsLaunch {
        RowsLaunch::new(self.units, self.row, self.pitch, self.padded)
    }
}

/// The units of a workgroup, a power of two.
pub(super) fn block(client: &Client) -> usize {
    let most = client.properties().hardware.max_units_per_cube;
    1 << BLOCK.min(most).ilog2()
}

/// As many workgroups of one size as units ask for.
pub(super) fn cubes(client: &Client, units: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(block(client) as u32);
    (cubecl::calculate_cube_count_elemwise(client, units, dim), dim)
}

/// The widest vector that the tensors can be read by.
fn widest(tensors: &[&CubeTensor], fits: impl Fn(usize) -> bool) -> usize {
    let size = tensors.iter().map(|tensor| tensor.dtype.size()).max().unwrap_or(1);
    let widths = tensors.first().map(|tensor| tensor.client.io_optimized_vector_sizes(size));
    widths.into_iter().flatten().find(|width| fits(*width)).unwrap_or(1)
}

/// The rows that a [`Walk`] goes along, in a kernel: their lengths in vectors.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Rows {
    pub(super) units: usize,
    pub(super) row: usize,
    pitch: usize,
    #[cube(comptime)]
    padded: bool,
}

#[cube]
impl Rows {
    /// Where the vector of a unit lies.
    pub(super) fn place(&self, unit: usize) -> usize {
        if comptime!(self.padded) { unit / self.row * self.pitch + unit % self.row } else { unit }
    }

    /// The row of a unit, and where in it its vector is.
    pub(super) fn row_and_position(&self, unit: usize) -> (usize, usize) {
        (unit / self.row, unit % self.row)
    }
}
