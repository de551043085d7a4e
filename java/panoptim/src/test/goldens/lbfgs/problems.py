"""Standard problems: a start, and a function that returns loss and gradient, all in float64."""

import numpy


def numbers(stream, elements):
    """SplitMix64, seeded with the stream, as multiples of 2^-23 from -1 to 1, which a float32 holds exactly."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(stream) + numpy.arange(1, elements + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return ((z >> numpy.uint64(40)).astype(numpy.int64) - (1 << 23)) * 2.0**-23


def rosenbrock(x):
    a = x[1:] - x[:-1] ** 2
    b = 1 - x[:-1]
    g = numpy.zeros_like(x)
    g[1:] += 200 * a
    g[:-1] += -400 * x[:-1] * a - 2 * b
    return (100 * a**2 + b**2).sum(), g


def powell(x):
    a, b, c, d = x
    p, q, r, s = a + 10 * b, c - d, b - 2 * c, a - d
    loss = p**2 + 5 * q**2 + r**4 + 10 * s**4
    return loss, numpy.array(
        [2 * p + 40 * s**3, 20 * p + 4 * r**3, 10 * q - 8 * r**3, -10 * q - 40 * s**3]
    )


def beale(x):
    a, b = x
    p, q, r = 1.5 - a + a * b, 2.25 - a + a * b**2, 2.625 - a + a * b**3
    return p**2 + q**2 + r**2, numpy.array(
        [
            2 * p * (b - 1) + 2 * q * (b**2 - 1) + 2 * r * (b**3 - 1),
            2 * p * a + 4 * q * a * b + 6 * r * a * b**2,
        ]
    )


def booth(x):
    a, b = x
    p, q = a + 2 * b - 7, 2 * a + b - 5
    return p**2 + q**2, numpy.array([2 * p + 4 * q, 4 * p + 2 * q])


def himmelblau(x):
    a, b = x
    p, q = a**2 + b - 11, a + b**2 - 7
    return p**2 + q**2, numpy.array([4 * a * p + 2 * q, 2 * p + 4 * b * q])


def wood(x):
    a, b, c, d = x
    p, q = b - a**2, d - c**2
    loss = 100 * p**2 + (1 - a) ** 2 + 90 * q**2 + (1 - c) ** 2
    loss += 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)
    return loss, numpy.array(
        [
            -400 * a * p - 2 * (1 - a),
            200 * p + 20.2 * (b - 1) + 19.8 * (d - 1),
            -360 * c * q - 2 * (1 - c),
            180 * q + 20.2 * (d - 1) + 19.8 * (b - 1),
        ]
    )


def brown(x):
    a, b = x
    p, q, r = a - 1e6, b - 2e-6, a * b - 2
    return p**2 + q**2 + r**2, numpy.array([2 * p + 2 * b * r, 2 * q + 2 * a * r])


def quadratic(condition, size):
    curvatures = condition ** (numpy.arange(size) / (size - 1))
    minimum = numbers(5, size)

    def function(x):
        g = curvatures * (x - minimum)
        return 0.5 * (g * (x - minimum)).sum(), g

    return function


EXAMPLES = 60


def logistic(x):
    """Logistic regression of 60 examples with 7 features and a bias, with the squared norm / 200."""
    inputs = numbers(7, EXAMPLES * 7).reshape(EXAMPLES, 7)
    signs = numpy.where(inputs[:, 0] - inputs[:, 1] + numbers(8, EXAMPLES) > 0, 1.0, -1.0)
    z = signs * (inputs @ x[:7] + x[7])
    loss = numpy.log1p(numpy.exp(-z)).mean() + 0.005 * (x**2).sum()
    d = -signs / (1 + numpy.exp(z)) / EXAMPLES
    return loss, numpy.append(inputs.T @ d, d.sum()) + 0.01 * x


HIDDEN = 5


def network(x):
    """A layer of 3 x 5 with tanh and a layer of 5, with biases, fitted to 60 examples."""
    inputs = numbers(9, EXAMPLES * 3).reshape(EXAMPLES, 3)
    targets = numpy.sin(2 * inputs[:, 0]) + inputs[:, 1] * inputs[:, 2]
    w, b, v, c = x[:15].reshape(3, HIDDEN), x[15:20], x[20:25], x[25]
    h = numpy.tanh(inputs @ w + b)
    e = h @ v + c - targets
    d = 2 * e / EXAMPLES
    dh = numpy.outer(d, v) * (1 - h**2)
    gradient = numpy.concatenate([(inputs.T @ dh).ravel(), dh.sum(0), h.T @ d, [d.sum()]])
    return (e**2).mean(), gradient


PROBLEMS = {
    "rosenbrock2": ([-1.2, 1], rosenbrock),
    "rosenbrock20": ([-1.2, 1] * 10, rosenbrock),
    "powell": ([3, -1, 0, 1], powell),
    "beale": ([1, 1], beale),
    "booth": ([0, 0], booth),
    "himmelblau": ([0, 0], himmelblau),
    "wood": ([-3, -1, -3, -1], wood),
    "brown": ([1, 1], brown),
    "quadratic10": ([0] * 10, quadratic(1e2, 10)),
    "quadratic50": ([0] * 50, quadratic(1e4, 50)),
    "logistic": ([0] * 8, logistic),
    "network": (numbers(10, 26), network),
}
