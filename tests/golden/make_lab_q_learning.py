"""Gymnasium's tables of transitions, and optima and policy scores by NumPy on those tables.

python make_lab_q_learning.py > lab_q_learning.json      (gymnasium, numpy)
"""

import json

import gymnasium
import numpy as np
from gymnasium.envs.toy_text.cliffwalking import CliffWalkingEnv
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
from gymnasium.envs.toy_text.taxi import TaxiEnv

GAMMA, EPSILON = 0.99, 0.1


def lake(name, slippery):
    return FrozenLakeEnv(map_name=name, is_slippery=slippery)


CASES = [
    ("frozen-lake-4x4", True, lake("4x4", True), 100),
    ("frozen-lake-4x4", False, lake("4x4", False), 100),
    ("frozen-lake-8x8", True, lake("8x8", True), 200),
    ("cliff-walking", False, CliffWalkingEnv(), 500),
    ("cliff-walking", True, CliffWalkingEnv(is_slippery=True), 500),
    ("taxi", False, TaxiEnv(), 200),
    ("taxi", True, TaxiEnv(is_rainy=True), 200),
]


def dense(P):
    """P[s, a, s'] of going on, mean reward[s, a], chance of success[s, a]."""
    states, actions = len(P), len(P[0])
    onward = np.zeros((states, actions, states))
    reward = np.zeros((states, actions))
    success = np.zeros((states, actions))
    for s in range(states):
        for a in range(actions):
            for p, s2, r, end in P[s][a]:
                reward[s, a] += p * r
                onward[s, a, s2] += p * (not end)
                # A FrozenLake episode that has ended in a hole has no success.
                success[s, a] += p * (end and r != 0)
    return onward, reward, success


def fixed_point(onward, reward, epsilon):
    q = np.zeros_like(reward)
    for _ in range(20000):
        v = (1 - epsilon) * q.max(1) + epsilon * q.mean(1)
        q = reward + GAMMA * onward @ v
    return q


def score(onward, reward, success, q, epsilon, start, limit):
    greedy = np.argmax(q >= q.max(1, keepdims=True) - 1e-9, 1)
    chances = np.full(q.shape, epsilon / q.shape[1])
    chances[np.arange(len(q)), greedy] += 1 - epsilon
    here, total, reached = start.copy(), 0.0, 0.0
    for _ in range(limit):
        weight = here[:, None] * chances
        total += (weight * reward).sum()
        reached += (weight * success).sum()
        here = np.einsum("sa,sat->t", weight, onward)
    return reached, total


environments = []
for name, slippery, env, limit in CASES:
    rows = [
        [s, a, float(p), int(s2), float(r), int(end)]
        for s in range(len(env.P))
        for a in range(len(env.P[0]))
        for p, s2, r, end in env.P[s][a]
    ]
    table = np.array(rows)
    weights = 1 + np.arange(len(rows)) * 7 % 1009
    start = np.asarray(env.initial_state_distrib, float)
    onward, reward, success = dense(env.P)
    optimum, soft = (fixed_point(onward, reward, e) for e in (0.0, EPSILON))
    reached, total = score(onward, reward, success, optimum, 0.0, start, limit)
    # All of the small table; of the others every few rows.
    every = 1 if len(rows) < 200 else max(1, len(rows) // 150)
    environments.append({
        "name": name,
        "slippery": slippery,
        "count": len(rows),
        "transitions": [[i, *rows[i]] for i in range(0, len(rows), every)],
        "checksums": [float((table[:, c] * weights).sum()) for c in (2, 3, 4, 5)],
        "starts": int((start > 0).sum()),
        "sum_of_starts": int(np.flatnonzero(start).sum()),
        "optimal_start_value": float(start @ optimum.max(1)),
        "sum_of_q": float(optimum.sum()),
        "soft_start_value": float(start @ soft.max(1)),
        "optimal_success": float(reached),
        "optimal_return": float(total),
        "soft_return": float(score(onward, reward, success, soft, EPSILON, start, limit)[1]),
    })

versions = {"gymnasium": gymnasium.__version__, "numpy": np.__version__}
text = json.dumps({"versions": versions, "gamma": GAMMA, "epsilon": EPSILON, "environments": environments})
print(text.replace('{"name"', '\n{"name"'))
