//! The credible intervals against Monte Carlo: parameters drawn from their distributions, the calibration solved anew for
//! each draw, and the share of the draws that the interval holds.
//!
//! `HEEL_ORIGIN_DRAWS=4096 HEEL_ORIGIN_PATIENTS=30 cargo test --release --test it monte_carlo -- --nocapture` makes the full
//! comparison.

use std::sync::Arc;

use heel_origin::domain::{Case, Origin};
use heel_origin::engine::{self, Model};
use heel_origin::validation::redrawn;

use crate::network::{Network, Random, model};
use crate::oracle::Brute;

#[test]
fn intervals_hold_the_share_of_draws_they_claim() {
    let number = |name: &str, usual: usize| {
        std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
    };
    let (draws, patients) = (number("HEEL_ORIGIN_DRAWS", 120), number("HEEL_ORIGIN_PATIENTS", 24));
    let network = Network::new(&heel_origin::export::network(model()));
    let setting = 1;
    let brute = Brute::new(&network, setting);
    let mut random = Random::new(40);
    let cases: Vec<Case> =
        (0..patients).map(|_| brute.sample(&network, setting, &mut random)).collect();
    let claimed: Vec<_> = cases.iter().map(|case| engine::assess(model(), case)).collect();
    let mut held = vec![[0u32; 8]; patients];
    let mut solved = 0u32;
    for _ in 0..draws {
        let knowledge = redrawn(model().knowledge(), setting, &mut || random.normal());
        // A draw whose numbers contradict one another is no possible world.
        let Ok(model) = Model::new(Arc::new(knowledge)) else { continue };
        solved += 1;
        for ((case, claimed), held) in cases.iter().zip(&claimed).zip(&mut held) {
            let answered = engine::outlook(&model, &Case { setting: 0, ..case.clone() });
            for score in &claimed.origins {
                let origin = score.origin.index();
                let (likelihood, weight) = (answered.likelihood[origin], answered.rank[origin]);
                let weight_interval = score.weight.unwrap().1;
                let inside = |interval: heel_origin::domain::Interval, value: f64| {
                    u32::from(interval.lower <= value && value <= interval.upper)
                };
                held[origin] += inside(score.likelihood_interval, likelihood);
                held[4 + origin] += inside(weight_interval, weight);
            }
        }
    }
    let share = |outputs: std::ops::Range<usize>| {
        let inside: u32 = held.iter().flat_map(|held| held[outputs.clone()].iter()).sum();
        f64::from(inside) / f64::from(solved) / (patients * outputs.len()) as f64
    };
    let (likelihood, weight) = (share(0..4), share(4..8));
    println!(
        "{patients} patients, {solved} of {draws} draws solved: intervals hold {likelihood:.4} (likelihood) and {weight:.4} (weight) of the draws"
    );
    for origin in Origin::ALL {
        let index = origin.index();
        println!(
            "  {}: {:.4}, {:.4}",
            origin.id(),
            share(index..index + 1),
            share(4 + index..5 + index)
        );
    }
    for covered in [likelihood, weight] {
        assert!(
            (0.93..=0.97).contains(&covered),
            "{covered} of the draws lie inside the 95 % intervals"
        );
    }
}
