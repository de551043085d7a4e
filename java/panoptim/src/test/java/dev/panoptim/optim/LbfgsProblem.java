package dev.panoptim.optim;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.panoptim.memory.Parameter;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;

/// Standard problems, as in `goldens/lbfgs/problems.py`: a start, and loss and gradient in double.
enum LbfgsProblem {
  ROSENBROCK2(-1.2, 1) {
    @Override
    double loss(double[] x, double[] g) {
      return rosenbrock(x, g);
    }
  },
  ROSENBROCK20(IntStream.range(0, 20).mapToDouble(i -> i % 2 == 0 ? -1.2 : 1).toArray()) {
    @Override
    double loss(double[] x, double[] g) {
      return rosenbrock(x, g);
    }
  },
  POWELL(3, -1, 0, 1) {
    @Override
    double loss(double[] x, double[] g) {
      double p = x[0] + 10 * x[1];
      double q = x[2] - x[3];
      double r = x[1] - 2 * x[2];
      double s = x[0] - x[3];
      g[0] = 2 * p + 40 * s * s * s;
      g[1] = 20 * p + 4 * r * r * r;
      g[2] = 10 * q - 8 * r * r * r;
      g[3] = -10 * q - 40 * s * s * s;
      return p * p + 5 * q * q + r * r * r * r + 10 * s * s * s * s;
    }
  },
  BEALE(1, 1) {
    @Override
    double loss(double[] x, double[] g) {
      double a = x[0];
      double b = x[1];
      double p = 1.5 - a + a * b;
      double q = 2.25 - a + a * b * b;
      double r = 2.625 - a + a * b * b * b;
      g[0] = 2 * p * (b - 1) + 2 * q * (b * b - 1) + 2 * r * (b * b * b - 1);
      g[1] = 2 * p * a + 4 * q * a * b + 6 * r * a * b * b;
      return p * p + q * q + r * r;
    }
  },
  BOOTH(0, 0) {
    @Override
    double loss(double[] x, double[] g) {
      double p = x[0] + 2 * x[1] - 7;
      double q = 2 * x[0] + x[1] - 5;
      g[0] = 2 * p + 4 * q;
      g[1] = 4 * p + 2 * q;
      return p * p + q * q;
    }
  },
  HIMMELBLAU(0, 0) {
    @Override
    double loss(double[] x, double[] g) {
      double p = x[0] * x[0] + x[1] - 11;
      double q = x[0] + x[1] * x[1] - 7;
      g[0] = 4 * x[0] * p + 2 * q;
      g[1] = 2 * p + 4 * x[1] * q;
      return p * p + q * q;
    }
  },
  WOOD(-3, -1, -3, -1) {
    @Override
    double loss(double[] x, double[] g) {
      double a = x[0];
      double b = x[1];
      double c = x[2];
      double d = x[3];
      double p = b - a * a;
      double q = d - c * c;
      g[0] = -400 * a * p - 2 * (1 - a);
      g[1] = 200 * p + 20.2 * (b - 1) + 19.8 * (d - 1);
      g[2] = -360 * c * q - 2 * (1 - c);
      g[3] = 180 * q + 20.2 * (d - 1) + 19.8 * (b - 1);
      return 100 * p * p
          + (1 - a) * (1 - a)
          + 90 * q * q
          + (1 - c) * (1 - c)
          + 10.1 * ((b - 1) * (b - 1) + (d - 1) * (d - 1))
          + 19.8 * (b - 1) * (d - 1);
    }
  },
  BROWN(1, 1) {
    @Override
    double loss(double[] x, double[] g) {
      double p = x[0] - 1e6;
      double q = x[1] - 2e-6;
      double r = x[0] * x[1] - 2;
      g[0] = 2 * p + 2 * x[1] * r;
      g[1] = 2 * q + 2 * x[0] * r;
      return p * p + q * q + r * r;
    }
  },
  QUADRATIC10(new double[10]) {
    @Override
    double loss(double[] x, double[] g) {
      return quadratic(1e2, x, g);
    }
  },
  QUADRATIC50(new double[50]) {
    @Override
    double loss(double[] x, double[] g) {
      return quadratic(1e4, x, g);
    }
  },
  LOGISTIC(new double[8]) {
    @Override
    double loss(double[] x, double[] g) {
      return logistic(x, g);
    }
  },
  NETWORK(numbers(10, 26)) {
    @Override
    double loss(double[] x, double[] g) {
      return network(x, g);
    }
  };

  private static final int EXAMPLES = 60;

  final double[] start;

  LbfgsProblem(double... start) {
    this.start = start;
  }

  /// @param g is set to the gradient
  abstract double loss(double[] x, double[] g);

  /// Multiples of 2^-23 from -1 to 1, as in `problems.py`.
  static double[] numbers(long stream, int elements) {
    double[] all = new double[elements];
    for (int i = 0; i < elements; i++) {
      long z = stream + (i + 1) * 0x9E3779B97F4A7C15L;
      z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
      z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
      z = z ^ z >>> 31;
      all[i] = ((z >>> 40) - (1 << 23)) * 0x1p-23;
    }
    return all;
  }

  private static double rosenbrock(double[] x, double[] g) {
    Arrays.fill(g, 0);
    double loss = 0;
    for (int i = 0; i + 1 < x.length; i++) {
      double a = x[i + 1] - x[i] * x[i];
      double b = 1 - x[i];
      g[i + 1] += 200 * a;
      g[i] += -400 * x[i] * a - 2 * b;
      loss += 100 * a * a + b * b;
    }
    return loss;
  }

  private static double quadratic(double condition, double[] x, double[] g) {
    double[] minimum = numbers(5, x.length);
    double loss = 0;
    for (int i = 0; i < x.length; i++) {
      g[i] = Math.pow(condition, (double) i / (x.length - 1)) * (x[i] - minimum[i]);
      loss += 0.5 * g[i] * (x[i] - minimum[i]);
    }
    return loss;
  }

  private static double logistic(double[] x, double[] g) {
    double[] inputs = numbers(7, EXAMPLES * 7);
    double[] noise = numbers(8, EXAMPLES);
    double loss = 0;
    for (int i = 0; i < x.length; i++) {
      g[i] = 0.01 * x[i];
      loss += 0.005 * x[i] * x[i];
    }
    for (int k = 0; k < EXAMPLES; k++) {
      double sign = inputs[7 * k] - inputs[7 * k + 1] + noise[k] > 0 ? 1 : -1;
      double z = x[7];
      for (int i = 0; i < 7; i++) {
        z += inputs[7 * k + i] * x[i];
      }
      z *= sign;
      loss += Math.log1p(Math.exp(-z)) / EXAMPLES;
      double d = -sign / (1 + Math.exp(z)) / EXAMPLES;
      for (int i = 0; i < 7; i++) {
        g[i] += d * inputs[7 * k + i];
      }
      g[7] += d;
    }
    return loss;
  }

  private static double network(double[] x, double[] g) {
    int hidden = 5;
    double[] inputs = numbers(9, EXAMPLES * 3);
    Arrays.fill(g, 0);
    double loss = 0;
    for (int k = 0; k < EXAMPLES; k++) {
      double[] input = Arrays.copyOfRange(inputs, 3 * k, 3 * k + 3);
      double[] h = new double[hidden];
      double e = x[25] - (Math.sin(2 * input[0]) + input[1] * input[2]);
      for (int j = 0; j < hidden; j++) {
        double sum = x[15 + j];
        for (int i = 0; i < 3; i++) {
          sum += input[i] * x[i * hidden + j];
        }
        h[j] = Math.tanh(sum);
        e += h[j] * x[20 + j];
      }
      loss += e * e / EXAMPLES;
      double d = 2 * e / EXAMPLES;
      g[25] += d;
      for (int j = 0; j < hidden; j++) {
        g[20 + j] += h[j] * d;
        double dh = d * x[20 + j] * (1 - h[j] * h[j]);
        g[15 + j] += dh;
        for (int i = 0; i < 3; i++) {
          g[i * hidden + j] += input[i] * dh;
        }
      }
    }
    return loss;
  }

  /// Sets parameters to the start.
  void begin(List<Parameter> parameters) {
    set(parameters, start);
  }

  static void set(List<Parameter> parameters, double[] x) {
    int at = 0;
    for (Parameter each : parameters) {
      for (long i = 0; i < each.size(); i++) {
        each.data().setAtIndex(JAVA_FLOAT, i, (float) x[at++]);
      }
    }
  }

  /// The data of parameters, in their order.
  static double[] data(List<Parameter> parameters) {
    return parameters.stream()
        .flatMapToDouble(
            each ->
                IntStream.range(0, (int) each.size())
                    .mapToDouble(i -> each.data().getAtIndex(JAVA_FLOAT, i)))
        .toArray();
  }

  /// Sets the gradients of parameters, rounded to float, and returns the loss.
  DoubleSupplier closure(List<Parameter> parameters) {
    return () -> {
      double[] g = new double[start.length];
      double loss = loss(data(parameters), g);
      int at = 0;
      for (Parameter each : parameters) {
        for (long i = 0; i < each.size(); i++) {
          each.gradient().setAtIndex(JAVA_FLOAT, i, (float) g[at++]);
        }
      }
      return loss;
    };
  }
}
