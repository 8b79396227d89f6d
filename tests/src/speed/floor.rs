//! The floor: a loop by hand over plain slices, in place, with the same threads.

use std::sync::Mutex;

/// Elements that one thread takes at a time, so that all threads have work to the end.
const PIECE: usize = 1 << 14;

/// Elements up to which waking other threads takes longer than they would save.
const ALONE: usize = 1 << 17;

/// Slices of one model: parameters, and as many states as the optimizer has.
pub(super) struct Floor {
    parameters: Vec<Vec<f32>>,
    states: Vec<[Vec<f32>; 4]>,
    count: usize,
    summed: usize,
}

/// The most states that there is a floor for.
pub(super) const MOST_STATES: usize = 4;

impl Floor {
    /// For an optimizer with this many states, [`MOST_STATES`] at most, that reads as many of gradient and states as
    /// `summed` says for a sum over the tensor before it steps.
    pub(super) fn new(lengths: &[usize], count: usize, summed: usize) -> Self {
        let parameters = lengths.iter().map(|len| vec![1.0; *len]).collect();
        let state = |lane: usize, len: usize| vec![0.01; if lane < count { len } else { 0 }];
        let states =
            lengths.iter().map(|len| core::array::from_fn(|lane| state(lane, *len))).collect();
        Self { parameters, states, count, summed }
    }

    /// One step down these gradients.
    pub(super) fn step(&mut self, gradients: &[Vec<f32>]) {
        let elements = gradients.iter().map(Vec::len).sum();
        // Gradient, states, and these again: a stage of sums begins when the one before has ended.
        for number in 0..self.summed {
            let slices = gradients.iter().zip(&self.states).flat_map(|(g, states)| {
                let number = number % (1 + self.count);
                let source = if number == 0 { g } else { &states[number - 1] };
                source.chunks(PIECE)
            });
            share(elements, slices.collect(), |slice| {
                core::hint::black_box(sum(slice));
            });
        }
        let mut pieces = Vec::new();
        let tensors = self.parameters.iter_mut().zip(&mut self.states).zip(gradients);
        for ((p, states), g) in tensors {
            let [a, b, c, d] = states.each_mut().map(|state| state.chunks_mut(PIECE));
            let mut states = [a, b, c, d];
            for (p, g) in p.chunks_mut(PIECE).zip(g.chunks(PIECE)) {
                pieces.push((
                    p,
                    g,
                    states.each_mut().map(|state| state.next().unwrap_or_default()),
                ));
            }
        }
        let count = self.count;
        share(elements, pieces, |(p, g, states)| match (count, states) {
            (0, _) => pass(p, g, [], |p, g, []| (p - 1e-3 * g, [])),
            (1, [m, ..]) => pass(p, g, [m], momentum),
            (2, [m, v, ..]) => pass(p, g, [m, v], adamw),
            (3, [m, v, a, _]) => pass(p, g, [m, v, a], three),
            (_, [m, v, a, b]) => pass(p, g, [m, v, a, b], four),
        });
    }
}

/// Has this thread and, if it is so much, others take the pieces.
fn share<T: Send>(elements: usize, pieces: Vec<T>, step: impl Fn(T) + Sync) {
    if elements <= ALONE {
        return pieces.into_iter().for_each(step);
    }
    let pieces = Mutex::new(pieces.into_iter());
    let next = || pieces.lock().expect("nothing panics while it is held").next();
    let work = || core::iter::from_fn(next).for_each(&step);
    rayon::in_place_scope(|scope| {
        (1..rayon::current_num_threads()).for_each(|_| scope.spawn(|_| work()));
        work();
    });
}

/// The sum, in as many parts as a vector has.
fn sum(slice: &[f32]) -> f32 {
    let (blocks, rest) = slice.as_chunks::<BLOCK>();
    let mut sums = [0.0; BLOCK];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, x)| *sum += x);
    }
    sums.iter().chain(rest).sum()
}

#[inline(always)]
fn momentum(p: f32, g: f32, [m]: [f32; 1]) -> (f32, [f32; 1]) {
    let m = 0.9 * m + g;
    (p - 1e-3 * m, [m])
}

#[inline(always)]
fn adamw(p: f32, g: f32, [m, v]: [f32; 2]) -> (f32, [f32; 2]) {
    let m = 0.9 * m + 0.1 * g;
    let v = 0.999 * v + 0.001 * g * g;
    (0.999 * p - 1e-3 * m / (v.sqrt() * 1.01 + 1e-8), [m, v])
}

/// What an optimizer with three states does at least.
#[inline(always)]
fn three(p: f32, g: f32, [m, v, a]: [f32; 3]) -> (f32, [f32; 3]) {
    let a = 0.99 * a + 0.01 * g;
    let (p, [m, v]) = adamw(p, a, [m, v]);
    (p, [m, v, a])
}

/// What an optimizer with four states does at least.
#[inline(always)]
fn four(p: f32, g: f32, [m, v, a, b]: [f32; 4]) -> (f32, [f32; 4]) {
    let (p, [m, v, a]) = three(p, g - b, [m, v, a]);
    (p, [m, v, a, g])
}

/// Elements that are copied to the stack at a time: the compiler vectorises over arrays, which
/// cannot overlap, where it does not over five slices.
const BLOCK: usize = 32;

/// The loop, with the machine's best instructions.
fn pass<const N: usize>(
    p: &mut [f32],
    g: &[f32],
    states: [&mut [f32]; N],
    update: impl Fn(f32, f32, [f32; N]) -> (f32, [f32; N]),
) {
    struct Loop<'a, const N: usize, F> {
        p: &'a mut [f32],
        g: &'a [f32],
        states: [&'a mut [f32]; N],
        update: F,
    }
    impl<const N: usize, F: Fn(f32, f32, [f32; N]) -> (f32, [f32; N])> pulp::WithSimd
        for Loop<'_, N, F>
    {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _simd: S) {
            let Self { p, g, states, update } = self;
            let (p, p_rest) = p.as_chunks_mut::<BLOCK>();
            let (g, g_rest) = g.as_chunks::<BLOCK>();
            let mut states = states.map(|state| state.as_chunks_mut::<BLOCK>());
            for (block, (p, g)) in p.iter_mut().zip(g).enumerate() {
                let (mut new, g) = (*p, *g);
                let mut s: [[f32; BLOCK]; N] = core::array::from_fn(|lane| states[lane].0[block]);
                for i in 0..BLOCK {
                    let (next, state) =
                        update(new[i], g[i], core::array::from_fn(|lane| s[lane][i]));
                    new[i] = next;
                    (0..N).for_each(|lane| s[lane][i] = state[lane]);
                }
                *p = new;
                (0..N).for_each(|lane| states[lane].0[block] = s[lane]);
            }
            for (i, (p, g)) in p_rest.iter_mut().zip(g_rest).enumerate() {
                let (next, state) = update(*p, *g, core::array::from_fn(|lane| states[lane].1[i]));
                *p = next;
                (0..N).for_each(|lane| states[lane].1[i] = state[lane]);
            }
        }
    }
    pulp::Arch::new().dispatch(Loop { p, g, states, update });
}
