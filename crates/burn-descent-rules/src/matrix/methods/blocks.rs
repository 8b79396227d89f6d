//! Tensors cut into blocks, with a factor for each axis of each block.

use crate::{Keep, Matrix, Start, Whole};

/// How a tensor is cut: what is longer than a block is cut into blocks of that length, and one of the rest. Equal
/// blocks are a stack. Of no dimensions there are no blocks.
pub(crate) struct Blocks {
    dims: Vec<usize>,
    size: usize,
}

/// The dimensions of equal blocks, and how many of them there are.
struct Equal {
    dims: Vec<usize>,
    count: usize,
}

/// A part of a tensor of these dimensions.
struct Part<M> {
    dims: Vec<usize>,
    x: M,
}

impl Blocks {
    /// Blocks of a tensor of these dimensions that are `size` long at most; of any length where that is 0.
    pub(crate) fn of(dims: Vec<usize>, size: u64) -> Self {
        let size = if size == 0 { usize::MAX } else { size as usize };
        Self { dims, size }
    }

    /// How many factors each block has.
    pub(crate) fn order(&self) -> usize {
        self.dims.len()
    }

    /// How long the pieces of a dimension are.
    fn pieces(&self, length: usize) -> Vec<usize> {
        let full = vec![self.size.min(length); length / self.size];
        let rest = Some(length % self.size).filter(|rest| *rest > 0);
        full.into_iter().chain(rest).collect()
    }

    /// The equal blocks, in the order of the first of them.
    fn equal(&self) -> Vec<Equal> {
        if self.dims.is_empty() {
            return Vec::new();
        }
        let mut all = vec![Equal { dims: Vec::new(), count: 1 }];
        for dim in &self.dims {
            let pieces = [(self.size, dim / self.size), (dim % self.size, 1)];
            let longer = |equal: Equal| {
                let pieces = pieces.into_iter().filter(|(length, count)| length.min(count) > &0);
                pieces.map(move |(length, count)| Equal {
                    dims: [&equal.dims[..], &[length]].concat(),
                    count: equal.count * count,
                })
            };
            all = all.into_iter().flat_map(longer).collect();
        }
        all
    }

    /// A tensor in its blocks, a stack for each of the [equal](Self::equal) ones: matrices of their first dimension and
    /// of all others.
    fn cut<M: Matrix>(&self, x: &M) -> Vec<M> {
        let mut parts = vec![Part { dims: self.dims.clone(), x: x.clone() }];
        for (axis, length) in self.dims.iter().enumerate() {
            let pieces = self.pieces(*length);
            if pieces.len() > 1 {
                parts = parts.into_iter().flat_map(|part| part.split(axis, &pieces)).collect();
            }
        }
        let stack = |equal: Equal| {
            let same = parts.iter().filter(|part| part.dims == equal.dims);
            M::join(same.map(|part| part.x.reshape(equal.one())).collect(), 0)
        };
        self.equal().into_iter().map(stack).collect()
    }

    /// The tensor of these blocks, instead of another one; itself, where there are no blocks.
    fn join<M: Matrix>(&self, stacks: &[M], instead: &M) -> M {
        if stacks.is_empty() {
            return instead.clone();
        }
        let (equal, mut taken) = (self.equal(), vec![0; stacks.len()]);
        let mut parts: Vec<Part<M>> = Vec::new();
        for dims in self.places() {
            let Some(of) = equal.iter().position(|equal| equal.dims == dims) else { continue };
            parts.push(Part { dims, x: stacks[of].narrow(0, taken[of], 1) });
            taken[of] += 1;
        }
        for (axis, length) in self.dims.iter().enumerate().rev() {
            let pieces = self.pieces(*length).len();
            if pieces > 1 {
                let mut left = parts.into_iter();
                let mut joined = Vec::new();
                while let Some(part) = Part::join(left.by_ref().take(pieces).collect(), axis) {
                    joined.push(part);
                }
                parts = joined;
            }
        }
        M::join(parts.into_iter().map(|part| part.x.reshape(instead.dims())).collect(), 0)
    }

    /// What is kept of each axis of the [equal](Self::equal) blocks: a factor and its root, of this number on their
    /// diagonals at first.
    pub(crate) fn keeps(&self, factor: f64, root: f64) -> Vec<Keep> {
        let keep = |number: usize, equal: &Equal, axis: usize| {
            let dims = equal.square(axis);
            [("factor", factor), ("root", root)].map(|(name, diagonal)| Keep {
                name: format!("{name}_{number}_{axis}"),
                dims,
                start: Start::Diagonal(diagonal),
            })
        };
        let mut keeps = Vec::new();
        for (number, equal) in self.equal().iter().enumerate() {
            keeps.extend((0..self.order()).flat_map(|axis| keep(number, equal, axis)));
        }
        keeps
    }

    /// Brings the factors forward: `β` times the old one and `share` times what each block of `g` adds.
    pub(crate) fn follow<M: Matrix>(&self, g: &M, kept: &mut [M], beta: f64, share: f64) {
        let mut kept = kept.chunks_exact_mut(2);
        for (equal, blocks) in self.equal().iter().zip(self.cut(g)) {
            for (axis, kept) in (0..equal.dims.len()).zip(&mut kept) {
                kept[0] = kept[0].clone().scale(beta) + equal.gram(&blocks, axis).scale(share);
            }
        }
    }

    /// Takes the roots of the factors anew, of as many at once as have one size. Where there is none the last one stays.
    pub(crate) fn renew<M: Matrix>(
        &self,
        kept: &mut [M],
        at: &mut Whole,
        root: impl Fn(M, &mut Whole) -> Option<M>,
    ) {
        let mut left = kept;
        for equal in self.equal() {
            let (of_these, others) = left.split_at_mut(2 * equal.dims.len());
            left = others;
            let alike = equal.dims.iter().all(|dim| *dim == equal.dims[0]);
            let together = if alike { of_these.len() } else { 2 };
            for kept in of_these.chunks_exact_mut(together) {
                let factors = kept.iter().step_by(2).cloned().collect();
                let roots = root(M::join(factors, 0), at).filter(is_finite);
                let Some(roots) = at.refreshed(roots) else { continue };
                for (number, kept) in kept.chunks_exact_mut(2).enumerate() {
                    kept[1] = roots.narrow(0, number * equal.count, equal.count);
                }
            }
        }
    }

    /// What `each` makes of equal blocks of `x`.
    pub(crate) fn each<M: Matrix>(&self, x: &M, each: impl Fn(M) -> M) -> M {
        let stacks: Vec<M> = self.cut(x).into_iter().map(each).collect();
        self.join(&stacks, x)
    }

    /// `u` times the roots, along each axis of each block; and what `each` makes of equal blocks then.
    pub(crate) fn precondition<M: Matrix>(&self, u: &M, kept: &[M], each: impl Fn(M) -> M) -> M {
        let mut roots = kept.iter().skip(1).step_by(2);
        let along = |(equal, blocks): (&Equal, M)| {
            let axes = (0..equal.dims.len()).zip(&mut roots);
            each(axes.fold(blocks, |blocks, (axis, root)| equal.along(&blocks, axis, root)))
        };
        let stacks: Vec<M> = self.equal().iter().zip(self.cut(u)).map(along).collect();
        self.join(&stacks, u)
    }

    /// The dimensions of each block, in the order of their places.
    fn places(&self) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new()];
        for length in &self.dims {
            let pieces = self.pieces(*length);
            let longer = |dims: Vec<usize>| {
                pieces.clone().into_iter().map(move |piece| [&dims[..], &[piece]].concat())
            };
            all = all.into_iter().flat_map(longer).collect();
        }
        all
    }
}

impl<M: Matrix> Part<M> {
    /// With everything before an axis in one dimension, and everything behind it in another.
    fn around(&self, axis: usize) -> M {
        let (before, after) = around(&self.dims, axis);
        self.x.reshape([before, self.dims[axis], after])
    }

    fn split(self, axis: usize, pieces: &[usize]) -> Vec<Self> {
        let (x, mut start) = (self.around(axis), 0);
        let piece = |length: &usize| {
            let mut dims = self.dims.clone();
            dims[axis] = *length;
            start += length;
            Self { dims, x: x.narrow(1, start - length, *length) }
        };
        pieces.iter().map(piece).collect()
    }

    fn join(parts: Vec<Self>, axis: usize) -> Option<Self> {
        let mut dims = parts.first()?.dims.clone();
        dims[axis] = parts.iter().map(|part| part.dims[axis]).sum();
        let x = M::join(parts.iter().map(|part| part.around(axis)).collect(), 1);
        Some(Self { dims, x })
    }
}

/// How many numbers there are before an axis, and behind it.
fn around(dims: &[usize], axis: usize) -> (usize, usize) {
    (dims[..axis].iter().product(), dims[axis + 1..].iter().product())
}

impl Equal {
    /// One of them as a matrix.
    fn one(&self) -> [usize; 3] {
        [1, self.dims[0], self.dims[1..].iter().product()]
    }

    /// The dimensions of their factors for an axis.
    fn square(&self, axis: usize) -> [usize; 3] {
        [self.count, self.dims[axis], self.dims[axis]]
    }

    /// The product of each block with itself over all axes but one: what a factor is a sum of.
    fn gram<M: Matrix>(&self, blocks: &M, axis: usize) -> M {
        let ((before, after), [count, size, _]) = (around(&self.dims, axis), self.square(axis));
        if after == 1 {
            return blocks.reshape([count, before, size]).transpose().gram();
        }
        let grams = blocks.reshape([count * before, size, after]).gram();
        if before == 1 {
            return grams;
        }
        grams.reshape([count, before, size * size]).sum(1).reshape([count, size, size])
    }

    /// Each block times a symmetric matrix of its own, along an axis.
    fn along<M: Matrix>(&self, blocks: &M, axis: usize, by: &M) -> M {
        let ((before, after), [count, size, _]) = (around(&self.dims, axis), self.square(axis));
        let product = if after == 1 {
            blocks.reshape([count, before, size]).times(by)
        } else {
            // For each of those before it the same one.
            let by = by.reshape([count, 1, size * size]) + by.full([1, before, 1], 0.0);
            let by = by.reshape([count * before, size, size]);
            by.times(&blocks.reshape([count * before, size, after]))
        };
        product.reshape(blocks.dims())
    }
}

/// Are all numbers finite?
fn is_finite<M: Matrix>(x: &M) -> bool {
    x.clone().abs().total().sum(0).read().iter().all(|sum| sum.is_finite())
}
