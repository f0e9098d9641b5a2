//! Log odds, credible levels and intervals.

/// Log odds of a probability, in nats.
#[must_use]
pub fn logit(probability: f64) -> f64 {
    probability.ln() - (-probability).ln_1p()
}

/// Probability with the given log odds; the inverse of [`logit`].
#[must_use]
pub fn expit(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Probability mass of a credible interval, strictly between 0.5 and 0.999.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CredibleLevel(f64);

impl CredibleLevel {
    /// Lowest and highest level, both excluded.
    pub const BOUNDS: (f64, f64) = (0.5, 0.999);

    /// The level, or `None` outside [`Self::BOUNDS`] and for NaN.
    #[must_use]
    pub fn new(level: f64) -> Option<Self> {
        (Self::BOUNDS.0 < level && level < Self::BOUNDS.1).then_some(Self(level))
    }

    /// The level as a number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Default for CredibleLevel {
    fn default() -> Self {
        Self(0.95)
    }
}

/// A credible interval of a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end, in [0, 1].
    pub lower: f64,
    /// Upper end, in [0, 1].
    pub upper: f64,
    /// Probability mass between the ends.
    pub level: CredibleLevel,
}
