//! The parameter lists that steps are timed on.

/// The lengths of the tensors of a model.
pub struct List {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Makes the lengths.
    pub lengths: fn() -> Vec<usize>,
}

/// Every list.
pub const LISTS: [List; 10] = [
    List { name: "10m", what: "one tensor of 10 M", lengths: || vec![10_000_000] },
    List { name: "resnet50", what: "ResNet-50: 161 tensors, 25.6 M", lengths: resnet50 },
    List { name: "gpt2", what: "GPT-2 small: 148 tensors, 124 M", lengths: gpt2 },
    List {
        name: "mlp",
        what: "an MLP: 6 tensors, 49 K",
        lengths: || vec![256 * 128, 128, 128 * 128, 128, 128 * 10, 10],
    },
    List { name: "small", what: "1,000 tensors of 64", lengths: || vec![64; 1000] },
    List { name: "few", what: "10 tensors of 64", lengths: || vec![64; 10] },
    List { name: "many", what: "10,000 tensors of 64", lengths: || vec![64; 10_000] },
    List { name: "1m", what: "one tensor of 1 M", lengths: || vec![1_000_000] },
    List { name: "256m", what: "one tensor of 256 M", lengths: || vec![256_000_000] },
    List { name: "1g", what: "one tensor of 1 G, for a GPU", lengths: || vec![1_000_000_000] },
];

/// He et al. 2015, as torchvision has it: a convolution has no bias, its normalisation two vectors.
fn resnet50() -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut convolution = |from: usize, to: usize, size: usize| {
        lengths.extend([from * to * size * size, to, to]);
    };
    convolution(3, 64, 7);
    let mut width = 64;
    for (blocks, inner) in [(3, 64), (4, 128), (6, 256), (3, 512)] {
        for block in 0..blocks {
            convolution(width, inner, 1);
            convolution(inner, inner, 3);
            convolution(inner, 4 * inner, 1);
            if block == 0 {
                convolution(width, 4 * inner, 1);
            }
            width = 4 * inner;
        }
    }
    lengths.extend([width * 1000, 1000]);
    lengths
}

/// Radford et al. 2019, the small one.
fn gpt2() -> Vec<usize> {
    const WIDTH: usize = 768;
    let linear = |from: usize, to: usize| [from * to, to];
    let norm = [WIDTH, WIDTH];
    let mut lengths = vec![50257 * WIDTH, 1024 * WIDTH];
    for _ in 0..12 {
        lengths.extend(norm);
        lengths.extend(linear(WIDTH, 3 * WIDTH));
        lengths.extend(linear(WIDTH, WIDTH));
        lengths.extend(norm);
        lengths.extend(linear(WIDTH, 4 * WIDTH));
        lengths.extend(linear(4 * WIDTH, WIDTH));
    }
    lengths.extend(norm);
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_what_they_say() {
        let sizes = LISTS.map(|list| {
            let lengths = (list.lengths)();
            (lengths.len(), lengths.iter().sum::<usize>())
        });
        let models =
            [(1, 10_000_000), (161, 25_557_032), (148, 124_439_808), (6, 50_698), (1000, 64_000)];
        assert_eq!(sizes[..models.len()], models);
    }
}
