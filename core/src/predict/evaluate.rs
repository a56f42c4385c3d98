//! How good a set of probabilities is: ranking, error, honesty.

/// Area under the ROC curve: the probability that a defective row is ranked above a clean one,
/// ties counting half. `None` where one of the two kinds is absent or a score is not a number.
pub fn roc_auc(scores: &[f64], defective: &[bool]) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len().min(defective.len())).collect();
    if scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let positives = order.iter().filter(|row| defective[**row]).count() as f64;
    let negatives = order.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    // Sum of the ranks of the defective rows; equal scores share the mean of their ranks.
    let mut sum = 0.0;
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && scores[order[end]] == scores[order[start]] {
            end += 1;
        }
        let rank = (start + 1 + end) as f64 / 2.0;
        sum += rank * order[start..end].iter().filter(|row| defective[**row]).count() as f64;
        start = end;
    }
    Some((sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// Brier score: mean squared error of the probabilities; 0 for no rows.
pub fn brier(probabilities: &[f64], defective: &[bool]) -> f64 {
    let errors = probabilities.iter().zip(defective).map(|(probability, defective)| {
        let error = probability - f64::from(u8::from(*defective));
        error * error
    });
    errors.sum::<f64>() / probabilities.len().max(1) as f64
}

/// Expected calibration error: rows sorted by probability into `bins` bins of equal count, and the
/// mean over the rows of |mean probability - share of defective rows| of their bin. Rows of equal
/// probability keep their order.
pub fn ece(probabilities: &[f64], defective: &[bool], bins: usize) -> f64 {
    let mut order: Vec<usize> = (0..probabilities.len().min(defective.len())).collect();
    order.sort_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
    let mut error = 0.0;
    for bin in 0..bins {
        let rows = &order[bin * order.len() / bins..(bin + 1) * order.len() / bins];
        let said: f64 = rows.iter().map(|row| probabilities[*row]).sum();
        let was = rows.iter().filter(|row| defective[**row]).count() as f64;
        error += (said - was).abs();
    }
    error / order.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_by_hand() {
        // Pairs (defective, clean): 0.8 beats 0.1, 0.4, 0.35 beats 0.1 only: 3 of 4.
        assert_eq!(roc_auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), Some(0.75));
        // A tie counts half.
        assert_eq!(roc_auc(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(roc_auc(&[3.0, 2.0, 2.0, 1.0], &[true, true, false, false]), Some(0.875));
        assert_eq!(roc_auc(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(roc_auc(&[f64::NAN, 2.0], &[true, false]), None);
    }

    #[test]
    fn brier_by_hand() {
        assert!((brier(&[0.9, 0.2], &[true, false]) - (0.01 + 0.04) / 2.0).abs() < 1e-15);
        assert_eq!(brier(&[], &[]), 0.0);
    }

    #[test]
    fn ece_by_hand() {
        // Two bins: (0.1, 0.2) with 1 of 2 defective, (0.8, 0.9) with 1 of 2 defective.
        let error = ece(&[0.8, 0.1, 0.9, 0.2], &[true, false, false, true], 2);
        assert!((error - (0.7 + 0.7) / 4.0).abs() < 1e-15, "{error}");
        // Honest on average, wrong in each bin: the average hides nothing.
        assert!((ece(&[0.5; 4], &[false, false, true, true], 2) - 0.5).abs() < 1e-15);
        assert_eq!(ece(&[0.5; 4], &[false, true, true, false], 1), 0.0);
        assert_eq!(ece(&[], &[], 10), 0.0);
    }
}
