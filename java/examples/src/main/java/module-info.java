/// Programs that show Panoptim at work.
module dev.panoptim.examples {
  requires dev.panoptim;
  requires dev.panoptim.checkpoint;
  requires info.picocli;
  requires java.desktop;
  requires java.logging;
  requires java.management;
  requires java.net.http;
  requires jdk.httpserver;
  requires jdk.incubator.vector;
  requires me.tongfei.progressbar;
  requires xchart;

  opens dev.panoptim.examples.hogwild to
      info.picocli;
  opens dev.panoptim.examples.paths to
      info.picocli;
  opens dev.panoptim.examples.quickstart to
      info.picocli;
  opens dev.panoptim.examples.schedules to
      info.picocli;
  opens dev.panoptim.examples.serving to
      info.picocli;
}
