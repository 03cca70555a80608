//! The middle of what was measured several times, and how sure that is.

/// The median: of an even number of values, the mean of the two in the middle.
///
/// # Panics
/// Where there is no value.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    (below + above) / 2.0
}

/// The standard error of the median, of the median distance to it, as if the values were normally distributed.
///
/// # Panics
/// Where there is no value.
#[must_use]
pub fn error_of_median(values: Vec<f64>) -> f64 {
    let (middle, count) = (median(values.clone()), values.len() as f64);
    1.2533 * 1.4826 * median(values.into_iter().map(|value| (value - middle).abs()).collect()) / count.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_far_off_does_not_move_the_median() {
        assert_eq!(median(vec![3.0, 1.0, 1000.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 1000.0]), 3.0);
    }

    #[test]
    fn the_error_is_of_the_distances_and_shrinks_with_the_root_of_their_number() {
        assert_eq!(error_of_median(vec![5.0, 5.0, 5.0]), 0.0);
        let (one, four) = (error_of_median(vec![-1.0, 1.0]), error_of_median([-1.0, 1.0].repeat(4)));
        assert!((one / four - 2.0).abs() < 1e-12, "{one} and {four}");
    }
}
