"""Credibility against counts whose true means are known."""

import numpy as np
import pytest

from vasgen.vas.counting.credibility import Counts, believed

SIDE = 64  # blocks in each direction


def squares(size):
    row, column = np.divmod(np.arange(SIDE**2), SIDE)
    return row // size * (SIDE // size) + column // size


def counted(truth, area, hits, random):
    """Poisson counts, and their expected variance as it is estimated in neighbourhoods."""
    number = random.poisson(truth * area * hits)
    gain = number / (area * hits)
    group = squares(4)
    rate = np.bincount(group, number) / np.bincount(group, area)
    return Counts(gain, rate[group] / (area * hits**2), area)


def hilly():
    row, column = np.divmod(np.arange(SIDE**2), SIDE)
    return 1 + 0.9 * np.sin(row / 9) * np.cos(column / 7)


def patchy():
    return np.where(squares(8) % 3 == 0, 3.0, 0.2)


LEVELS = [squares(4), squares(16), np.zeros(SIDE**2, np.int64)]


@pytest.mark.parametrize("truth", [np.full(SIDE**2, 0.7), hilly(), patchy()])
@pytest.mark.parametrize("hits", [0.3, 3.0, 300.0])
def test_it_is_nearer_to_the_truth_and_knows_how_near(truth, hits):
    before, after, stated = [], [], []
    for seed in range(12):
        random = np.random.default_rng(seed)
        area = random.uniform(0.5, 2.0, SIDE**2)
        counts = counted(truth, area, hits, random)
        sure = believed(counts, LEVELS)
        before.append(np.mean((counts.gain - truth) ** 2))
        after.append(np.mean((sure.gain - truth) ** 2))
        stated.append((sure.own + sure.shared).mean())
        assert area @ sure.gain == pytest.approx(area @ counts.gain, rel=1e-9)
    assert np.mean(after) < np.mean(before)
    # Where all is alike the mean of all is nearly exact, and is not known to be so.
    assert np.mean(after) / 1.5 < np.mean(stated) < 1.6 * np.mean(after) + 0.05 * np.mean(before)


def test_few_hits_are_hardly_believed_and_many_are():
    random = np.random.default_rng(0)
    area = np.ones(SIDE**2)
    few = believed(counted(hilly(), area, 0.3, random), LEVELS)
    many = counted(hilly(), area, 1e6, random)
    assert np.mean((few.gain - hilly()) ** 2) < 0.15
    np.testing.assert_allclose(believed(many, LEVELS).gain, many.gain, rtol=0.01)


def scattered(hits, spread, random):
    """Counts of hits that bring unlike power, log-normal; each block knows only its own."""
    number = random.poisson(patchy() * hits)
    block = np.repeat(np.arange(SIDE**2), number)
    power = np.exp(spread * random.standard_normal(len(block)) - spread**2 / 2) / hits
    gain, second = (np.bincount(block, p, SIDE**2) for p in (power, power**2))
    return Counts(gain, second, np.ones(SIDE**2))


@pytest.mark.parametrize("hits", [0.1, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("spread", [0.0, 1.0, 1.5])
def test_few_unlike_hits_keep_their_power_and_know_how_little_they_know(hits, spread):
    error, stated, sure_of_nothing = [], [], []
    for seed in range(20):
        counts = scattered(hits, spread, np.random.default_rng(seed))
        sure = believed(counts, LEVELS)
        assert sure.gain.sum() == pytest.approx(counts.gain.sum(), rel=1e-9)
        error.append(np.mean((sure.gain - patchy()) ** 2))
        stated.append((sure.own + sure.shared).mean())
        sure_of_nothing.append((sure.own + sure.shared == 0).mean())
    assert 0.4 < np.mean(error) / np.mean(stated) < 1.8
    assert np.mean(sure_of_nothing) == 0


def test_where_nothing_was_counted_the_wider_mean_is_expected():
    # The other groups scatter beyond their noise: so a group's own mean is worth something.
    gain = np.r_[np.zeros(4), np.tile([0.2, 0.2, 1.8, 1.8], 3)]
    counts = Counts(gain, 0.1 * gain, np.ones(16))
    sure = believed(counts, [np.repeat(np.arange(4), 4), np.zeros(16, np.int64)])
    assert 0 < sure.gain[0] < 1
    assert sure.own[0] + sure.shared[0] > 0


def test_nothing_at_all_stays_nothing():
    none = Counts(np.zeros(4), np.zeros(4), np.r_[np.ones(3), 0.0])
    sure = believed(none, [np.zeros(4, np.int64)])
    assert not sure.gain.any()
    assert not (sure.own + sure.shared).any()
