package dev.panoptim.server.web;

import dev.panoptim.server.recommender.RecommenderService;
import dev.panoptim.server.recommender.RecommenderService.Recommended;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;

/// The endpoints of the page about recommendations.
final class RecommenderEndpoints implements HttpService {
  private static final int MOST_DIGITS = 6;

  private final RecommenderService service;

  RecommenderEndpoints(RecommenderService service) {
    this.service = service;
  }

  @Override
  public void routing(HttpRules rules) {
    Endpoints.get(rules, "/recommend", this::recommend);
    Endpoints.post(rules, "/choices", this::changePlan);
  }

  /// @param tastes the favourite and the second genre, which the recommender does not know
  record Answer(int user, List<String> tastes, List<Recommended> items) {}

  private void recommend(ServerRequest request, ServerResponse response) {
    String given = request.query().first("user").orElse("");
    if (given.isEmpty()
        || given.length() > MOST_DIGITS
        || !given.chars().allMatch(each -> each >= '0' && each <= '9')) {
      throw Body.bad("the query must be user=N with a number of a user");
    }
    int user = Integer.parseInt(given);
    Json.send(response, new Answer(user, service.tastes(user), service.recommend(user)));
  }

  private void changePlan(ServerRequest request, ServerResponse response) {
    Body body = Body.of(request, "running", "learning", "rate");
    service.plan(
        new RecommenderService.Plan(
            body.bool("running"), body.bool("learning"), body.integer("rate")));
    Json.send(response, service.plan());
  }
}
