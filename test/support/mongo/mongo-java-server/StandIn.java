import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;

/**
 * A mongo-java-server as a stand-in for a MongoDB server in tests. Its data outlive a clean stop (SIGTERM).
 * Usage: StandIn HOST PORT FILE
 */
final class StandIn {
  public static void main(String[] args) {
    MongoServer server = new MongoServer(new H2Backend(args[2]).version(new Version44()));
    server.bind(args[0], Integer.parseInt(args[1]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
  }

  /** The server's own newest version speaks wire version 8; the driver wants 9, which is MongoDB 4.4. */
  private static final class Version44 implements MongoVersion {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(4, 4, 0);
    }

    @Override
    public int getWireVersion() {
      return 9;
    }
  }
}
