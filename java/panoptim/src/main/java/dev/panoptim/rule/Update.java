package dev.panoptim.rule;

/// How the direction d changes the parameter w.
///
/// Immutable.
public enum Update {
  /// `w = w - learningRate * d`.
  DESCENT,
  /// As [#DESCENT], but only for the elements whose direction and gradient have the same sign;
  /// their directions are divided by the share of these elements in the tensor, at least 1e-3.
  /// (Cautious optimizers: [Liang and others 2024](https://arxiv.org/abs/2411.16085).)
  CAUTIOUS,
  /// As [#DESCENT], with a decaying learning rate `learningRate / (1 + lambd * learningRate * (t -
  /// 1))^power`, a decay `lambd` of the parameter, and the average of the parameter as a state.
  /// (ASGD: [Polyak and Juditsky 1992](https://doi.org/10.1137/0330046).)
  AVERAGED,
  /// Each element moves by its own step size against the sign of its gradient. The step size grows
  /// if the sign has not changed. If the sign has changed, the step size shrinks and the element
  /// stays. (Rprop: [Riedmiller and Braun 1993](https://doi.org/10.1109/ICNN.1993.298623).)
  SIGN_STEPS,
  /// The parameter becomes the minimum of the sum of all linearised losses so far, plus an L1 and
  /// an L2 penalty. (FTRL-Proximal: [McMahan and others
  /// 2013](https://research.google/pubs/pub41159/).)
  PROXIMAL,
  /// The parameter lies between the state z, which descends, and the average of z. (Schedule-free:
  /// [Defazio and others 2024](https://arxiv.org/abs/2405.15682).)
  SCHEDULE_FREE
}
