"""Where other implementations take a few small parameters in 50 steps -> optimizers.json

    pip install -r benches/peers/requirements.txt
    pip install pytorch_optimizer==4.1.0 schedulefree==1.4.1 prodigyopt==1.1.2 optax==0.2.8
    KERAS_BACKEND=torch python tests/golden/make_optimizers.py

Made with Python 3.11.7, torch 2.15.0, keras 3.15.1 and the packages above. `settings` are written as in an
experiment's `[optimizer]` section, `wrappers` as its other sections. `evaluated` are the weights to evaluate, where
these are not the trained ones. `dtype` is that of the reference; `tolerance` is how far ours, in float32, may be from it,
relative to the larger of the number and 0.5, the size of the initial weights. `gradient` is the formula of the gradients.
"""

import inspect
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import jax
import jax.numpy as jnp
import keras
import numpy
import optax
import prodigyopt
import pytorch_optimizer
import schedulefree
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from formulas import MIXED, SMOOTH, START, mixed, numbers, smooth, start, tensor, write

jax.config.update("jax_enable_x64", True)
torch.set_num_threads(1)

PARAMETERS = [  # name, shape, index i of the first element
    ("matrix", [4, 3], 0),
    ("vector", [5], 12),
    ("kernel", [2, 3, 2, 2], 17),
    ("resting_row", [4, 3], 41),
]
RESTING_ROW = 2
RECORDED_STEPS = [1, 2, 10, 50]

TORCH_KEYS = {
    "learning_rate": "lr",
    "learning_rate_decay": "lr_decay",
    "initial_accumulator": "initial_accumulator_value",
    "epsilon": "eps",
    "epsilons": "eps",
    "clipping_threshold": "d",
}
OWN = {}  # name of an optimizer -> its reference


def own(*names):
    def register(reference):
        OWN.update({name: reference for name in names})
        return reference

    return register


def options(settings, renamed=None, left_out=("name",)):
    renamed = TORCH_KEYS | (renamed or {})
    return {renamed.get(key, key): value for key, value in settings.items() if key not in left_out}


class Reference:
    """Moves `parameters` by their `.grad`."""

    evaluate = False

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def step(self, parameters, step):
        self.optimizer.step()


def torch_class(cls, renamed=None, **constants):
    def make(parameters, settings):
        return Reference(cls(parameters, **options(settings, renamed), **constants))

    make.source = f"{cls.__module__.split('.')[0]}.{'optim.' if cls.__module__.startswith('torch.') else ''}{cls.__name__}"
    return make


for name, cls, renamed in [
    ("sgd", torch.optim.SGD, {}),
    ("adam", torch.optim.Adam, {}),
    ("adamw", torch.optim.AdamW, {}),
    ("rmsprop", torch.optim.RMSprop, {}),
    ("adagrad", torch.optim.Adagrad, {}),
    ("adadelta", torch.optim.Adadelta, {"alpha": "rho"}),
    ("adamax", torch.optim.Adamax, {}),
    ("nadam", torch.optim.NAdam, {}),
    ("radam", torch.optim.RAdam, {}),
    ("adafactor", torch.optim.Adafactor, {}),
    ("rprop", torch.optim.Rprop, {}),
]:
    OWN[name] = torch_class(cls, renamed)

for name, cls, renamed, constants in [
    ("lars", pytorch_optimizer.LARS, {}, {}),
    ("adabound", pytorch_optimizer.AdaBound, {"final_learning_rate": "final_lr", "amsbound": "ams_bound"}, {}),
    ("adabelief", pytorch_optimizer.AdaBelief, {}, {}),
    ("adan", pytorch_optimizer.Adan, {}, {}),
    ("yogi", pytorch_optimizer.Yogi, {"initial_accumulator": "initial_accumulator"}, {}),
    ("ademamix", pytorch_optimizer.AdEMAMix, {"warmup_steps": "t_alpha_beta3"}, {"weight_decouple": True}),
]:
    OWN[name] = torch_class(cls, renamed, foreach=False, **constants)


@own("adopt")
def adopt(parameters, settings):
    given = options(settings)
    if not given.pop("clip", True):
        given["clip_lambda"] = None
    return Reference(pytorch_optimizer.ADOPT(parameters, foreach=False, weight_decouple=True, **given))


adopt.source = "pytorch_optimizer.ADOPT"


@own("shampoo")
def shampoo(parameters, settings):
    given = options(settings, {"epsilon": "matrix_eps", "update_every": "preconditioning_compute_steps"})
    return Reference(pytorch_optimizer.Shampoo(parameters, **given))


shampoo.source = "pytorch_optimizer.Shampoo"


@own("soap")
def soap(parameters, settings):
    renamed = {
        "update_every": "precondition_frequency",
        "largest_dimension": "max_precondition_dim",
        "precondition_vectors": "precondition_1d",
    }
    return Reference(pytorch_optimizer.SOAP(parameters, **options(settings, renamed)))


soap.source = "pytorch_optimizer.SOAP"


class KerasReference(Reference):
    def __init__(self, parameters, optimizer):
        super().__init__(optimizer)
        self.variables = [keras.Variable(parameter.detach().numpy()) for parameter in parameters]
        optimizer.build(self.variables)

    def step(self, parameters, step):
        self.optimizer.apply([parameter.grad for parameter in parameters], self.variables)
        for parameter, variable in zip(parameters, self.variables):
            parameter.data.copy_(variable.value)


def keras_options(settings):
    given = options(settings, {"learning_rate": "learning_rate", "epsilon": "epsilon", "alpha": "rho"})
    if "betas" in given:
        given["beta_1"], given["beta_2"] = given.pop("betas")
    given.pop("epsilon_inside_root", None)
    return given


@own("lion")
def lion(parameters, settings):
    return KerasReference(parameters, keras.optimizers.Lion(**keras_options(settings)))


lion.source = "keras.optimizers.Lion"


def keras_rmsprop(parameters, settings):
    return KerasReference(parameters, keras.optimizers.RMSprop(**keras_options(settings)))


keras_rmsprop.source = "keras.optimizers.RMSprop"


class OptaxReference(Reference):
    def __init__(self, parameters, transformation):
        super().__init__(transformation)
        self.state = transformation.init([jnp.asarray(parameter.detach().numpy()) for parameter in parameters])

    def step(self, parameters, step):
        weights = [jnp.asarray(parameter.detach().numpy()) for parameter in parameters]
        gradients = [jnp.asarray(parameter.grad.numpy()) for parameter in parameters]
        updates, self.state = self.optimizer.update(gradients, self.state, weights)
        for parameter, moved in zip(parameters, optax.apply_updates(weights, updates)):
            parameter.data.copy_(torch.tensor(numpy.asarray(moved)))


@own("lamb")
def lamb(parameters, settings):
    if not settings.get("weight_decay"):
        return KerasReference(parameters, keras.optimizers.Lamb(**keras_options(settings)))
    given = options(settings, {"learning_rate": "learning_rate"})
    given["b1"], given["b2"] = given.pop("betas", [0.9, 0.999])
    return OptaxReference(parameters, optax.lamb(**{"eps": 1e-7} | given))


lamb.source = "keras.optimizers.Lamb, optax.lamb with weight decay"


class ScheduleFreeReference(Reference):
    evaluate = True

    def __init__(self, optimizer):
        super().__init__(optimizer)
        optimizer.train()

    def evaluation(self, parameters):
        before = [parameter.detach().clone() for parameter in parameters]
        self.optimizer.eval()
        evaluated = [parameter.detach().clone() for parameter in parameters]
        self.optimizer.train()
        for parameter, value in zip(parameters, before):  # without the rounding of there and back
            parameter.data.copy_(value)
        return evaluated


@own("schedule_free_sgd", "schedule_free_adamw")
def schedule_free(parameters, settings):
    classes = {"schedule_free_sgd": schedulefree.SGDScheduleFree, "schedule_free_adamw": schedulefree.AdamWScheduleFree}
    given = options(settings, {"weighting": "r"})
    return ScheduleFreeReference(classes[settings["name"]](parameters, foreach=False, **given))


schedule_free.source = "schedulefree.SGDScheduleFree, schedulefree.AdamWScheduleFree"


@own("prodigy")
def prodigy(parameters, settings):
    renamed = {"bias_correction": "use_bias_correction", "initial_distance": "d0", "distance_factor": "d_coef"}
    return Reference(prodigyopt.Prodigy(parameters, **options(settings, renamed)))


prodigy.source = "prodigyopt.Prodigy"


class SophiaReference(Reference):
    """SophiaH given B rho g^2 for a Hessian, which makes it SophiaG with the gradient of the true labels."""

    def __init__(self, parameters, settings):
        given = {"learning_rate": 1e-4, "betas": [0.965, 0.99], "rho": 0.04, "batch_size": 5120, "update_every": 10,
                 "weight_decay": 0.1} | options(settings, {"learning_rate": "learning_rate"})
        self.scale, self.every = given["rho"] * given["batch_size"], given["update_every"]
        super().__init__(pytorch_optimizer.SophiaH(
            parameters, lr=given["learning_rate"], betas=given["betas"], weight_decay=given["weight_decay"], p=1.0,
            update_period=10**9, eps=1e-15, foreach=False,
        ))

    def step(self, parameters, step):
        due = (step - 1) % self.every == 0
        self.optimizer.step(hessian=[self.scale * parameter.grad**2 for parameter in parameters] if due else None)


OWN["sophia"] = SophiaReference
SophiaReference.source = "pytorch_optimizer.SophiaH, given the empirical Fisher diagonal"


class MuonReference(Reference):
    """torch.optim.Muon, iterating in the dtype of the gradient in place of bfloat16, and AdamW for the vector.

    Linear layers are [inputs, outputs] here and [outputs, inputs] in PyTorch: matrices are handed over transposed.
    """

    def __init__(self, parameters, settings):
        given = {"weight_decay": 0.1, "learning_rate": 1e-3} | settings
        adamw = {
            "lr": given["learning_rate"] * given.pop("adamw_scale", 1.0),
            "betas": given.pop("adamw_betas", [0.9, 0.999]),
            "eps": given.pop("adamw_epsilon", 1e-8),
            "weight_decay": given["weight_decay"],
        }
        if "adjustment" in given:
            given["adjust_lr_fn"] = given.pop("adjustment")
        given = options(given, {"coefficients": "ns_coefficients", "iterations": "ns_steps"})
        self.matrices = [torch.nn.Parameter(self.matrix(parameter)) for parameter in parameters if parameter.ndim > 1]
        self.muon = torch.optim.Muon(self.matrices, **given)
        self.adamw = torch.optim.AdamW([parameter for parameter in parameters if parameter.ndim == 1], **adamw)

    @staticmethod
    def matrix(values):
        values = values.detach()
        return values.T.clone() if values.ndim == 2 else values.reshape(len(values), -1).clone()

    def step(self, parameters, step):
        sources = [parameter for parameter in parameters if parameter.ndim > 1]
        for matrix, parameter in zip(self.matrices, sources):
            matrix.grad = self.matrix(parameter.grad)
        self.muon.step()
        self.adamw.step()
        for matrix, parameter in zip(self.matrices, sources):
            moved = matrix.detach().T if parameter.ndim == 2 else matrix.detach().reshape(parameter.shape)
            parameter.data.copy_(moved)


OWN["muon"] = MuonReference
MuonReference.source = "torch.optim.Muon without bfloat16, torch.optim.AdamW"
iteration = torch.optim._muon._zeropower_via_newtonschulz
source = inspect.getsource(iteration).replace("torch.bfloat16", "grad.dtype")
exec(source, torch.optim._muon.__dict__)


class Wrapped(Reference):
    """What the wrappers do, around any reference."""

    def __init__(self, parameters, inner, wrappers):
        super().__init__(inner.optimizer)
        self.inner, self.wrappers = inner, wrappers
        if "lookahead" in wrappers:
            section = {"every": 5, "alpha": 0.5} | wrappers["lookahead"]
            self.optimizer = pytorch_optimizer.Lookahead(
                inner.optimizer, k=section["every"], alpha=section["alpha"], pullback_momentum="none"
            )
        module = torch.nn.ParameterList(parameters)
        if "ema" in wrappers:
            decay = wrappers["ema"].get("decay", 0.999)
            self.average = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(decay))
        if "swa" in wrappers:
            self.average = AveragedModel(module)
        self.module = module
        self.evaluate = "ema" in wrappers or "swa" in wrappers

    def step(self, parameters, step):
        if "gradient_centralization" in self.wrappers:
            convolutions_only = self.wrappers["gradient_centralization"].get("convolutions_only", False)
            for parameter in parameters:
                gradient = parameter.grad.T if parameter.ndim == 2 else parameter.grad
                pytorch_optimizer.centralize_gradient(gradient, gc_conv_only=convolutions_only)
        before = [parameter.detach().clone() for parameter in parameters]
        if "lookahead" in self.wrappers:
            self.optimizer.step()
        else:
            self.inner.step(parameters, step)
        if "cautious" in self.wrappers:  # transcribed from the paper's algorithm 2
            for old, parameter in zip(before, parameters):
                update = old - parameter.detach()
                mask = (update * parameter.grad > 0).to(update.dtype)
                mask /= mask.mean().clamp(min=1e-3)
                parameter.data.copy_(old - update * mask)
        swa = {"start_step": 0, "every": 1} | self.wrappers.get("swa", {})
        if "ema" in self.wrappers or (
            "swa" in self.wrappers and step > swa["start_step"] and (step - swa["start_step"]) % swa["every"] == 0
        ):
            self.average.update_parameters(self.module)

    def evaluation(self, parameters):
        if not self.average.n_averaged:
            return [parameter.detach().clone() for parameter in parameters]
        return [parameter.detach().clone() for parameter in self.average.module]


def gradient(name, shape, first, t, dtype, formula=smooth):
    values = tensor(shape, lambda i: formula(first + i, t)).to(dtype)
    if name == "resting_row":
        values[RESTING_ROW] = 0
    return values


def trajectory(settings, wrappers, dtype, reference, formula):
    parameters = [
        torch.nn.Parameter(tensor(shape, lambda i: start(first + i)).to(dtype)) for _, shape, first in PARAMETERS
    ]
    optimizer = reference(parameters, settings)
    if wrappers:
        optimizer = Wrapped(parameters, optimizer, wrappers)
    after, evaluated = {}, {}
    named = lambda values: {name: numbers(value) for value, (name, _, _) in zip(values, PARAMETERS)}
    for step in range(1, max(RECORDED_STEPS) + 1):
        for parameter, description in zip(parameters, PARAMETERS):
            parameter.grad = gradient(*description, step, dtype, formula)
        optimizer.step(parameters, step)
        if step in RECORDED_STEPS:
            after[str(step)] = named(parameters)
            if optimizer.evaluate:
                evaluated[str(step)] = named(optimizer.evaluation(parameters))
    return after, evaluated


def case(name, settings, wrappers=None, dtype="float32", formula=smooth, tolerance=1e-6, why=None, by=None):
    reference = by or OWN[settings["name"]]
    after, evaluated = trajectory(settings, wrappers, getattr(torch, dtype), reference, formula)
    result = {"name": name, "settings": settings}
    if wrappers:
        result["wrappers"] = wrappers
    result |= {"reference": reference.source, "dtype": dtype, "gradient": formula.__name__, "tolerance": tolerance}
    if why:
        result["why"] = why
    result["after"] = after
    if evaluated:
        result["evaluated"] = evaluated
    return result


def named(name, **settings):
    return {"name": name} | settings


# These divide by the size of a gradient along directions that the smooth ones never take, which is that of rounding.
IN_ALL_DIRECTIONS = {
    "dtype": "float64",
    "formula": mixed,
    "why": "smooth gradients span three dimensions: in the others both references divide noise by noise",
}


def in_three_directions(tolerance, distance):
    return {"dtype": "float64", "tolerance": tolerance, "why": f"the reference in float32 is {distance} in float64"}


CASES = [
    case("sgd", named("sgd", learning_rate=0.1)),
    case("sgd, weight decay", named("sgd", learning_rate=0.1, weight_decay=0.01)),
    case("sgd, momentum", named("sgd", learning_rate=0.1, momentum=0.9)),
    case("sgd, momentum, dampening", named("sgd", learning_rate=0.1, momentum=0.9, dampening=0.1)),
    case(
        "sgd, nesterov, weight decay",
        named("sgd", learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    case("adam, defaults", named("adam")),
    case("adam, weight decay", named("adam", weight_decay=0.01)),
    # With the default betas, 50 such steps cannot tell amsgrad from Adam: the second moment only grows.
    case("adam, amsgrad, betas", named("adam", learning_rate=0.01, betas=[0.9, 0.9], amsgrad=True)),
    case("adam, betas, epsilon", named("adam", learning_rate=0.01, betas=[0.8, 0.99], epsilon=1e-5)),
    case("adamw, defaults", named("adamw")),
    case("adamw, amsgrad, decay", named("adamw", learning_rate=0.01, betas=[0.9, 0.9], amsgrad=True, weight_decay=0.1)),
    case("rmsprop, defaults", named("rmsprop")),
    case("rmsprop, momentum", named("rmsprop", momentum=0.9)),
    case("rmsprop, centered, weight decay", named("rmsprop", alpha=0.9, centered=True, weight_decay=0.01)),
    case("rmsprop, centered, momentum", named("rmsprop", alpha=0.9, centered=True, momentum=0.5)),
    case(
        "rmsprop, epsilon inside the root",
        named("rmsprop", learning_rate=0.01, alpha=0.9, epsilon=1e-2, epsilon_inside_root=True),
        by=keras_rmsprop,
    ),
    case(
        "rmsprop, epsilon inside the root, centered, momentum",
        named("rmsprop", learning_rate=0.01, alpha=0.9, epsilon=1e-2, epsilon_inside_root=True, centered=True, momentum=0.5),
        by=keras_rmsprop,
    ),
    case("adagrad, defaults", named("adagrad")),
    case(
        "adagrad, every option",
        named("adagrad", learning_rate=0.1, learning_rate_decay=0.1, initial_accumulator=0.1, weight_decay=0.01, epsilon=1e-3),
    ),
    case("adadelta, defaults", named("adadelta")),
    case("adadelta, every option", named("adadelta", learning_rate=0.5, alpha=0.8, epsilon=1e-3, weight_decay=0.01)),
    case("adamax, defaults", named("adamax")),
    case("adamax, every option", named("adamax", learning_rate=0.01, betas=[0.8, 0.9], epsilon=1e-3, weight_decay=0.01)),
    case("nadam, defaults", named("nadam")),
    case("nadam, weight decay, momentum decay", named("nadam", learning_rate=0.01, weight_decay=0.01, momentum_decay=0.1)),
    case(
        "nadam, decoupled weight decay",
        named("nadam", learning_rate=0.01, weight_decay=0.1, decoupled_weight_decay=True, betas=[0.8, 0.9]),
        dtype="float64",
        why="torch in float32 is 1.7e-6 away from itself in float64",
    ),
    case("radam, defaults", named("radam")),
    case("radam, weight decay", named("radam", learning_rate=0.01, weight_decay=0.01, betas=[0.8, 0.9])),
    case("radam, decoupled weight decay", named("radam", learning_rate=0.01, weight_decay=0.1, decoupled_weight_decay=True)),
    case("adafactor, defaults", named("adafactor")),
    case(
        "adafactor, every option",
        named("adafactor", learning_rate=0.1, beta2_decay=-0.5, epsilons=[1e-3, 0.1], clipping_threshold=1.5, weight_decay=0.1),
    ),
    case("lamb, defaults", named("lamb")),
    case("lamb, betas, epsilon", named("lamb", learning_rate=0.01, betas=[0.8, 0.9], epsilon=1e-3)),
    case("lamb, weight decay", named("lamb", learning_rate=0.01, weight_decay=0.1)),
    case("lars, defaults", named("lars")),
    case("lars, weight decay, dampening", named("lars", learning_rate=1.0, trust_coefficient=0.01, weight_decay=0.1, dampening=0.1)),
    case("lars, nesterov", named("lars", learning_rate=1.0, nesterov=True, momentum=0.8)),
    case("lars, no momentum", named("lars", learning_rate=1.0, momentum=0.0, weight_decay=0.1)),
    case("lion, defaults", named("lion")),
    case("lion, weight decay, betas", named("lion", learning_rate=0.01, weight_decay=0.1, betas=[0.8, 0.9])),
    case("rprop, defaults", named("rprop")),
    case("rprop, every option", named("rprop", learning_rate=0.001, etas=[0.6, 1.5], step_sizes=[1e-4, 0.05])),
    case("adabound, defaults", named("adabound")),
    case(
        "adabound, every option",
        named(
            "adabound", learning_rate=0.01, final_learning_rate=0.05, betas=[0.8, 0.9], gamma=0.1, epsilon=1e-3,
            weight_decay=0.1, amsbound=True,
        ),
    ),
    case("adabelief, defaults", named("adabelief")),
    case("adabelief, every option", named("adabelief", learning_rate=0.01, betas=[0.8, 0.9], epsilon=1e-6, weight_decay=0.1)),
    case("adan, defaults", named("adan")),
    case("adan, every option", named("adan", learning_rate=0.01, betas=[0.9, 0.8, 0.95], epsilon=1e-3, weight_decay=0.1)),
    case("adopt, defaults", named("adopt")),
    case("adopt, every option", named("adopt", learning_rate=0.01, betas=[0.8, 0.9], epsilon=1e-2, weight_decay=0.1, clip=False)),
    case("adopt, clipped", named("adopt", learning_rate=0.01, betas=[0.8, 0.1], epsilon=1e-2)),
    case("ademamix, defaults", named("ademamix")),
    case(
        "ademamix, every option",
        named(
            "ademamix", learning_rate=0.01, betas=[0.8, 0.9, 0.99], alpha=2.0, warmup_steps=40, epsilon=1e-3, weight_decay=0.1
        ),
    ),
    case("yogi, defaults", named("yogi")),
    case("yogi, every option", named("yogi", betas=[0.8, 0.9], initial_accumulator=0.1, epsilon=1e-2, weight_decay=0.1)),
    case("sophia, defaults", named("sophia")),
    case(
        "sophia, every option",
        named("sophia", learning_rate=0.01, betas=[0.9, 0.8], rho=0.1, batch_size=20, update_every=3, weight_decay=0.01),
    ),
    case("muon, defaults", named("muon")),
    case(
        "muon, every option",
        named(
            "muon", learning_rate=0.01, momentum=0.8, nesterov=False, weight_decay=0.2, coefficients=[2.0, -1.5, 0.5],
            iterations=7, epsilon=1e-3, adjustment="match_rms_adamw", adamw_scale=0.5, adamw_betas=[0.8, 0.9], adamw_epsilon=1e-3,
        ),
    ),
    case("muon, spectral", named("muon", learning_rate=0.01, adjustment="spectral_unclamped")),
    case("schedule-free sgd, defaults", named("schedule_free_sgd")),
    case(
        "schedule-free sgd, every option",
        named("schedule_free_sgd", learning_rate=0.5, momentum=0.8, warmup_steps=8, weighting=1.0, weight_decay=0.01),
    ),
    case("schedule-free adamw, defaults", named("schedule_free_adamw")),
    case(
        "schedule-free adamw, every option",
        named(
            "schedule_free_adamw", learning_rate=0.02, betas=[0.8, 0.9], epsilon=1e-3, warmup_steps=8, weighting=1.0,
            weight_decay=0.1,
        ),
    ),
    case("prodigy, defaults", named("prodigy")),
    case(
        "prodigy, every option",
        named(
            "prodigy", learning_rate=0.5, betas=[0.8, 0.9], epsilon=1e-4, weight_decay=0.1, bias_correction=True,
            initial_distance=1e-3, distance_factor=2.0,
        ),
    ),
    case("prodigy, warm-up safe", named("prodigy", safeguard_warmup=True, initial_distance=1e-3, bias_correction=True)),
    case("shampoo, defaults", named("shampoo"), **IN_ALL_DIRECTIONS),
    case(
        "shampoo, epsilon, weight decay",
        named("shampoo", learning_rate=0.1, epsilon=0.1, weight_decay=0.01),
        **IN_ALL_DIRECTIONS,
    ),
    case(
        "shampoo, defaults, smooth", named("shampoo"),
        **in_three_directions(5e-5, "NaN at step 50, and at step 10 5e-6 away from itself"),
    ),
    case(
        "shampoo, epsilon, weight decay, smooth",
        named("shampoo", learning_rate=0.1, epsilon=0.1, weight_decay=0.01),
        **in_three_directions(5e-6, "2.8e-6 away from itself"),
    ),
    case("soap, defaults", named("soap"), **IN_ALL_DIRECTIONS),
    case("soap, defaults, smooth", named("soap"), **in_three_directions(1e-3, "7.7e-4 away from itself")),
    case(
        "soap, every option, smooth",
        named(
            "soap", learning_rate=0.01, betas=[0.8, 0.9], shampoo_beta=0.8, epsilon=1e-3, update_every=3, largest_dimension=3,
            precondition_vectors=True, weight_decay=0.1,
        ),
        **in_three_directions(3e-6, "1.7e-6 away from itself"),
    ),
    case(
        "soap, every option",
        named(
            "soap", learning_rate=0.01, betas=[0.8, 0.9], shampoo_beta=0.8, epsilon=1e-3, update_every=3, largest_dimension=3,
            precondition_vectors=True, weight_decay=0.1,
        ),
        **IN_ALL_DIRECTIONS,
    ),
    case("lookahead around adamw", named("adamw", learning_rate=0.01), {"lookahead": {}}),
    case("lookahead around sgd", named("sgd", learning_rate=0.1, momentum=0.9), {"lookahead": {"every": 3, "alpha": 0.8}}),
    case("ema of sgd", named("sgd", learning_rate=0.1), {"ema": {"decay": 0.9}}),
    case("swa of adam", named("adam", learning_rate=0.01), {"swa": {"start_step": 5, "every": 3}}),
    case("centralized sgd", named("sgd", learning_rate=0.1), {"gradient_centralization": {}}),
    case(
        "centralized convolutions, adam", named("adam", learning_rate=0.01),
        {"gradient_centralization": {"convolutions_only": True}},
    ),
    case("cautious adam", named("adam", learning_rate=0.01), {"cautious": {}}),
    case(
        "everything around sgd", named("sgd", learning_rate=0.1, momentum=0.9),
        {"gradient_centralization": {}, "lookahead": {}, "ema": {"decay": 0.8}},
    ),
]



def perturbed(**settings):
    """The weights that SAM takes its second gradient at."""
    parameters = [torch.nn.Parameter(tensor(shape, lambda i: start(first + i))) for _, shape, first in PARAMETERS]
    for parameter, description in zip(parameters, PARAMETERS):
        parameter.grad = gradient(*description, 1, torch.float32)
    pytorch_optimizer.SAM(parameters, torch.optim.SGD, lr=0.1, **settings).first_step()
    weights = {name: numbers(value) for value, (name, _, _) in zip(parameters, PARAMETERS)}
    return {"settings": settings, "reference": "pytorch_optimizer.SAM", "weights": weights}


write(
    "optimizers.json",
    {
        "made_by": "make_optimizers.py",
        "torch": torch.__version__,
        "keras": keras.__version__,
        "pytorch_optimizer": "4.1.0",
        "schedulefree": "1.4.1",
        "prodigyopt": "1.1.2",
        "optax": optax.__version__,
        "initial": f"parameter element i = {START}",
        "gradient": f"gradient of element i in step t (from 1), but 0 in row {RESTING_ROW} of resting_row",
        "smooth": SMOOTH,
        "mixed": MIXED.replace("k", "t"),
        "index": "i = first + flat row-major index; formulas in float64, then rounded to float32",
        "parameters": [{"name": name, "shape": shape, "first": first} for name, shape, first in PARAMETERS],
        "cases": CASES,
        "perturbed": [perturbed(rho=0.05), perturbed(rho=0.5, adaptive=True)],
    },
)
