//! Gauss-Legendre quadrature on [0, 1].

use std::f64::consts::PI;

/// Nodes and weights of the rule with `count` points, exact for polynomials up to degree `2 * count - 1`.
///
/// Nodes are the roots of the Legendre polynomial, found by Newton's method from Tricomi's approximation.
pub(super) fn gauss_legendre(count: u32) -> Vec<(f64, f64)> {
    let root = |position: u32| {
        let mut x = (PI * (f64::from(position) + 0.75) / (f64::from(count) + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (value, derivative) = legendre(count, x);
            slope = derivative;
            let step = value / derivative;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        (f64::midpoint(1.0, x), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(root).collect()
}

/// The Legendre polynomial of a degree and its derivative at `x`, by Bonnet's recursion.
fn legendre(degree: u32, x: f64) -> (f64, f64) {
    let (mut before, mut here) = (1.0, x);
    for n in 2..=degree {
        let n = f64::from(n);
        (before, here) = (here, ((2.0 * n - 1.0) * x * here - (n - 1.0) * before) / n);
    }
    (here, f64::from(degree) * (x * here - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_points_are_exact_up_to_degree_nineteen() {
        for degree in 0..20 {
            let sum: f64 =
                gauss_legendre(10).iter().map(|(x, weight)| weight * x.powi(degree)).sum();
            assert!((sum - 1.0 / f64::from(degree + 1)).abs() < 1e-14, "degree {degree}: {sum}");
        }
    }
}
