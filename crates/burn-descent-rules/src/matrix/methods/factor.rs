//! Factorisations, on the host and in f64: what a device has no kernel for.

use crate::Matrix;
use faer::{Mat, MatRef, Side};

/// `A = V diag(values) Vᵀ` of symmetric matrices: values descending, vectors in columns.
pub struct Eigen<M> {
    /// Matrices × 1 × size.
    pub values: M,
    /// Matrices × size × size.
    pub vectors: M,
}

/// `A = U diag(values) Vᵀ`, the thin one: values descending, and of each column of `U` the largest number is positive, so
/// that the signs are the same everywhere.
pub struct Singular<M> {
    /// Rows × the smaller side.
    pub left: M,
    /// 1 × the smaller side.
    pub values: M,
    /// The smaller side × columns.
    pub right: M,
}

/// The matrices of a stack.
fn each<M: Matrix>(of: &M) -> Vec<Mat<f64>> {
    let [matrices, rows, columns] = of.dims();
    let numbers = of.read();
    let one = |number: usize| {
        let numbers = &numbers[number * rows * columns..][..rows * columns];
        MatRef::from_row_major_slice(numbers, rows, columns).to_owned()
    };
    (0..matrices).map(one).collect()
}

/// A stack of them.
fn stack<M: Matrix>(beside: &M, all: &[Mat<f64>]) -> M {
    let (rows, columns) = all.first().map_or((0, 0), |one| (one.nrows(), one.ncols()));
    let mut numbers = Vec::with_capacity(all.len() * rows * columns);
    for one in all {
        (0..rows).for_each(|r| (0..columns).for_each(|c| numbers.push(one[(r, c)])));
    }
    beside.with([all.len(), rows, columns], numbers)
}

impl<M: Matrix> Eigen<M> {
    /// Of symmetric matrices; `None` if it does not converge, or where a number is not finite.
    pub fn of(matrix: &M) -> Option<Self> {
        let (mut values, mut vectors) = (Vec::new(), Vec::new());
        for one in each(matrix) {
            let size = one.nrows();
            if !one.is_all_finite() {
                return None;
            }
            let eigen = one.self_adjoint_eigen(Side::Lower).ok()?;
            let (s, u) = (eigen.S(), eigen.U());
            values.push(Mat::from_fn(1, size, |_, i| s[size - 1 - i]));
            vectors.push(Mat::from_fn(size, size, |r, i| u[(r, size - 1 - i)]));
        }
        Some(Self { values: stack(matrix, &values), vectors: stack(matrix, &vectors) })
    }
}

impl<M: Matrix> Singular<M> {
    /// Of any matrices; `None` if it does not converge, or where a number is not finite.
    pub fn of(matrix: &M) -> Option<Self> {
        let (mut left, mut values, mut right) = (Vec::new(), Vec::new(), Vec::new());
        for one in each(matrix) {
            if !one.is_all_finite() {
                return None;
            }
            let svd = one.thin_svd().ok()?;
            let s = svd.S();
            let (u, v) = (svd.U(), svd.V());
            let sign = |i: usize| {
                let largest = |a: f64, b: f64| if b.abs() > a.abs() { b } else { a };
                1.0_f64.copysign((0..u.nrows()).map(|r| u[(r, i)]).fold(0.0, largest))
            };
            let signs: Vec<f64> = (0..u.ncols()).map(sign).collect();
            left.push(Mat::from_fn(u.nrows(), u.ncols(), |r, i| u[(r, i)] * signs[i]));
            values.push(Mat::from_fn(1, s.dim(), |_, i| s[i]));
            right.push(Mat::from_fn(v.ncols(), v.nrows(), |i, c| v[(c, i)] * signs[i]));
        }
        let [left, values, right] = [left, values, right].map(|all| stack(matrix, &all));
        Some(Self { left, values, right })
    }
}

/// One step of orthogonal iteration towards the eigenvectors of symmetric matrices `A`, from the bases `Q` in columns:
/// `Q R = (A + lift max λ) Q`, of which the columns with the greatest `λ = diag(Qᵀ A Q)` are taken first. Each new column
/// is in the place of the old one that it is from, so that what is known of it stays true. `None` where a number is not
/// finite.
pub(crate) fn iterate<M: Matrix>(matrix: &M, basis: &M, lift: f64) -> Option<M> {
    let one = |(a, mut basis): (Mat<f64>, Mat<f64>)| {
        let product = &a * &basis;
        if !product.is_all_finite() {
            return None;
        }
        let size = basis.ncols();
        let value = |i: usize| (0..size).map(|row| basis[(row, i)] * product[(row, i)]).sum();
        let values: Vec<f64> = (0..size).map(value).collect();
        let mut order: Vec<usize> = (0..size).collect();
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        let lift = order.first().map_or(0.0, |greatest| lift * values[*greatest]);
        let lifted = |row, i| product[(row, order[i])] + lift * basis[(row, order[i])];
        let q = Mat::from_fn(size, size, lifted).qr().compute_thin_Q();
        for (i, place) in order.into_iter().enumerate() {
            (0..size).for_each(|row| basis[(row, place)] = q[(row, i)]);
        }
        basis.is_all_finite().then_some(basis)
    };
    let all: Option<Vec<_>> = each(matrix).into_iter().zip(each(basis)).map(one).collect();
    Some(stack(matrix, &all?))
}

/// `X` with `X R = B`, for upper triangular `R`.
pub(crate) fn solve_right_upper<M: Matrix>(b: &M, r: &M) -> M {
    let solve = |(b, r): (Mat<f64>, Mat<f64>)| {
        // Rᵀ Xᵀ = Bᵀ, and Rᵀ is lower triangular.
        let mut x = b.transpose().to_owned();
        faer::linalg::triangular_solve::solve_lower_triangular_in_place(
            r.transpose(),
            x.as_mut(),
            faer::Par::Seq,
        );
        x.transpose().to_owned()
    };
    stack(b, &each(b).into_iter().zip(each(r)).map(solve).collect::<Vec<_>>())
}

/// No more than the largest singular value of a symmetric matrix, and no less than its largest number: two products with
/// its longest column. Of a matrix that is zero or not finite there is none.
pub(crate) fn spectral_bound<M: Matrix>(symmetric: &M) -> Option<f64> {
    let bound = |a: &Mat<f64>| {
        let largest = a.norm_max();
        let a = a * faer::Scale(1.0 / largest);
        let length = |column: usize| a.col(column).squared_norm_l2();
        let longest = (0..a.ncols()).max_by(|i, j| length(*i).total_cmp(&length(*j)))?;
        let x = &a * a.col(longest);
        let bound = largest * (&a * &x).norm_l2() / x.norm_l2();
        (bound.is_finite() && bound > 0.0).then_some(bound)
    };
    each(symmetric).first().and_then(bound)
}
