//! The parameter lists that steps are timed on.

/// The shapes of the tensors of a model: of matrices, outputs × inputs; a vector has one row.
pub struct List {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Makes the shapes.
    pub shapes: fn() -> Vec<[usize; 2]>,
}

impl List {
    /// How many elements each tensor has.
    pub fn lengths(&self) -> Vec<usize> {
        (self.shapes)().into_iter().map(|[rows, columns]| rows * columns).collect()
    }

    /// The shape of each tensor as other libraries have it: a vector has one dimension.
    pub fn dims(&self) -> Vec<Vec<usize>> {
        let dims = |[rows, columns]: [usize; 2]| {
            if rows == 1 { vec![columns] } else { vec![rows, columns] }
        };
        (self.shapes)().into_iter().map(dims).collect()
    }
}

/// Every list.
pub const LISTS: [List; 12] = [
    List { name: "10m", what: "one tensor of 10 M", shapes: || vec![[2_500, 4_000]] },
    List { name: "resnet50", what: "ResNet-50: 161 tensors, 25.6 M", shapes: resnet50 },
    List { name: "gpt2", what: "GPT-2 small: 148 tensors, 124 M", shapes: gpt2 },
    List {
        name: "gpt2_hidden",
        what: "GPT-2 small: its 48 hidden matrices, 85 M",
        shapes: || gpt2().into_iter().skip(2).filter(|[rows, _]| *rows > 1).collect(),
    },
    List { name: "matrix", what: "one matrix of 4096 x 1024", shapes: || vec![[4096, 1024]] },
    List {
        name: "mlp",
        what: "an MLP: 6 tensors, 49 K",
        shapes: || vec![[128, 256], [1, 128], [128, 128], [1, 128], [10, 128], [1, 10]],
    },
    List { name: "small", what: "1,000 tensors of 64", shapes: || vec![[1, 64]; 1000] },
    List { name: "few", what: "10 tensors of 64", shapes: || vec![[1, 64]; 10] },
    List { name: "many", what: "10,000 tensors of 64", shapes: || vec![[1, 64]; 10_000] },
    List { name: "1m", what: "one tensor of 1 M", shapes: || vec![[1_000, 1_000]] },
    List { name: "256m", what: "one tensor of 256 M", shapes: || vec![[16_000, 16_000]] },
    List { name: "1g", what: "one tensor of 1 G, for a GPU", shapes: || vec![[31_250, 32_000]] },
];

/// He et al. 2015, as torchvision has it: a convolution has no bias, its normalisation two vectors.
fn resnet50() -> Vec<[usize; 2]> {
    let mut shapes = Vec::new();
    let mut convolution = |from: usize, to: usize, size: usize| {
        shapes.extend([[to, from * size * size], [1, to], [1, to]]);
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
    shapes.extend([[1000, width], [1, 1000]]);
    shapes
}

/// Radford et al. 2019, the small one.
fn gpt2() -> Vec<[usize; 2]> {
    const WIDTH: usize = 768;
    let linear = |from: usize, to: usize| [[to, from], [1, to]];
    let norm = [[1, WIDTH], [1, WIDTH]];
    let mut shapes = vec![[50257, WIDTH], [1024, WIDTH]];
    for _ in 0..12 {
        shapes.extend(norm);
        shapes.extend(linear(WIDTH, 3 * WIDTH));
        shapes.extend(linear(WIDTH, WIDTH));
        shapes.extend(norm);
        shapes.extend(linear(WIDTH, 4 * WIDTH));
        shapes.extend(linear(4 * WIDTH, WIDTH));
    }
    shapes.extend(norm);
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_what_they_say() {
        let sizes = LISTS.map(|list| {
            let lengths = list.lengths();
            (lengths.len(), lengths.iter().sum::<usize>())
        });
        let models = [
            (1, 10_000_000),
            (161, 25_557_032),
            (148, 124_439_808),
            (48, 84_934_656),
            (1, 4_194_304),
        ];
        assert_eq!(sizes[..models.len()], models);
    }
}
