import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** One side of the conversation, spoken by java.net.http. The token travels in the Authorization header. */
public class Client implements WebSocket.Listener {
  private record Frame(Map<?, ?> json, String text) {
    boolean is(String type) {
      return json.get("type").equals(type);
    }

    Object in(String key, String field) {
      return json.get(key) instanceof Map<?, ?> inner ? inner.get(field) : null;
    }
  }

  private final List<Frame> frames = new ArrayList<>();
  private final StringBuilder partial = new StringBuilder();
  private final CompletableFuture<Integer> closed = new CompletableFuture<>();
  private final Map<?, ?> talk;
  private WebSocket socket;

  public static void main(String[] arguments) throws Exception {
    new Client((Map<?, ?>) new Json(arguments[0]).value()).converse();
    System.out.println("done");
    System.exit(0);
  }

  private Client(Map<?, ?> talk) {
    this.talk = talk;
  }

  private String talk(String key) {
    return (String) talk.get(key);
  }

  private boolean isFirst() {
    return talk.get("first").equals(true);
  }

  private void converse() throws Exception {
    socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .header("Authorization", "Bearer " + talk("token"))
            .buildAsync(URI.create(talk("url")), this)
            .get(120, TimeUnit.SECONDS);
    join();
    System.out.println("joined");
    String line = new Scanner(System.in).nextLine();
    require(line.equals("go"), "the driver said " + line + " instead of go");
    if (isFirst()) expect("user_joined", fromPeer("user_joined"));
    exchange();
    typeAndStop();
    whisper();
    say("{'type':'ping','id':'ping'}");
    expect("pong", frame -> frame.is("pong"));
    leave();
    socket.sendClose(1000, "").get(120, TimeUnit.SECONDS);
    require(closed.get(120, TimeUnit.SECONDS) == 1000, "closed with " + closed.get());
  }

  private void join() throws Exception {
    say("{'type':'join_room','payload':{'room_id':'%s'},'id':'join'}", talk("room"));
    Frame info = expect("room_info", frame -> frame.is("room_info"));
    List<?> users = (List<?>) info.in("payload", "users");
    List<?> ids = users.stream().map(user -> ((Map<?, ?>) user).get("id")).toList();
    require(ids.contains(talk("me")), "room_info without the joiner: " + info.text);
    require(info.in("payload", "count").equals((double) ids.size()), "room_info counts wrongly: " + info.text);
    require(isFirst() ? ids.size() == 1 : ids.contains(talk("peer")), "room_info names the wrong users: " + info.text);
  }

  private void exchange() throws Exception {
    // What a client says about sender, time and order is not to be believed, and payload bytes not to be touched.
    say(
        "{'type':'send_message','room':'%s','id':'%s','sender':{'id':'0','name':'liar'},"
            + "'timestamp':'never','offset':7,'payload':%s}",
        talk("room"), talk("message_id"), talk("payload"));
    Frame ack = expect("ack", ackOf(talk("message_id")));
    double place = (Double) ack.json.get("offset");
    boolean isPlaced = ack.in("payload", "epoch") != null && ack.in("payload", "message_id") != null;
    require((place == 1 || place == 2) && isPlaced, "ack without its place: " + ack.text);
    boolean isFirst = talk("room").equals(ack.json.get("room")) && ack.in("payload", "dup") == null;
    require(isFirst, "not a first message of this room: " + ack.text);
    Frame message = expect("new_message", fromPeer("new_message"));
    require(message.text.contains("\"payload\":" + talk("peer_payload")), "payload was touched: " + message.text);
    require(talk("peer_name").equals(message.in("sender", "name")), "name is not the token's: " + message.text);
    require(talk("room").equals(message.json.get("room")), "wrong room: " + message.text);
    double sum = place + (Double) message.json.get("offset");
    require(sum == 3, "offsets do not share one order: " + ack.text + message.text);
  }

  private void typeAndStop() throws Exception {
    say("{'type':'typing','room':'%s'}", talk("room"));
    expect("user_typing", fromPeer("user_typing"));
    say("{'type':'stop_typing','room':'%s'}", talk("room"));
    expect("user_stopped_typing", fromPeer("user_stopped_typing"));
  }

  private void whisper() throws Exception {
    say("{'type':'private','recipient_id':%s,'id':'private','payload':{'psst':'%s'}}", talk("peer"), talk("me"));
    Frame ack = expect("ack of private", ackOf("private"));
    require(Double.valueOf(1).equals(ack.in("payload", "recipients")), "private reached the wrong number: " + ack.text);
    Frame heard = expect("private", fromPeer("private"));
    require(heard.json.get("sender_id").equals(Double.valueOf(talk("peer"))), "sender_id is no number: " + heard.text);
    require(talk("peer").equals(heard.in("payload", "psst")), "wrong private payload: " + heard.text);
  }

  private void leave() throws Exception {
    if (isFirst()) {
      say("{'type':'leave_room','payload':{'room_id':'%s'},'id':'leave'}", talk("room"));
      expect("ack of leave", ackOf("leave"));
    } else {
      expect("user_left", fromPeer("user_left"));
    }
    synchronized (frames) {
      require(frames.stream().noneMatch(frame -> frame.is("new_message")), "surprise: " + frames);
    }
  }

  private Predicate<Frame> fromPeer(String type) {
    return frame -> frame.is(type) && talk("peer").equals(frame.in("sender", "id"));
  }

  private static Predicate<Frame> ackOf(String id) {
    return frame -> frame.is("ack") && id.equals(frame.json.get("id"));
  }

  /** Sends JSON written with single quotes. */
  private void say(String form, Object... values) throws Exception {
    socket.sendText(String.format(form.replace('\'', '"'), values), true).get(120, TimeUnit.SECONDS);
  }

  /** The first frame that `wanted` accepts, whatever came before it. */
  private Frame expect(String what, Predicate<Frame> wanted) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    synchronized (frames) {
      while (true) {
        for (Frame frame : frames) {
          require(!frame.is("error"), "the server answered with an error: " + frame.text);
          if (wanted.test(frame)) {
            frames.remove(frame);
            return frame;
          }
        }
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        require(left > 0, "never saw " + what + "; waiting to be asked for: " + frames);
        frames.wait(left);
      }
    }
  }

  @Override
  public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
    partial.append(part);
    if (last) {
      String text = partial.toString();
      partial.setLength(0);
      synchronized (frames) {
        frames.add(new Frame((Map<?, ?>) new Json(text).value(), text));
        frames.notifyAll();
      }
    }
    socket.request(1);
    return null;
  }

  @Override
  public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
    closed.complete(code);
    return null;
  }

  @Override
  public void onError(WebSocket socket, Throwable error) {
    closed.completeExceptionally(error);
  }

  private static void require(boolean condition, String complaint) {
    if (!condition) throw new AssertionError(complaint);
  }

  /** The JDK has no JSON parser; this one is enough for frames. */
  private static final class Json {
    private final String text;
    private int at = 0;

    Json(String text) {
      this.text = text;
    }

    Object value() {
      return switch (peek()) {
        case '{' -> object();
        case '[' -> array();
        case '"' -> string();
        case 't' -> word("true", true);
        case 'f' -> word("false", false);
        case 'n' -> word("null", null);
        default -> number();
      };
    }

    private char peek() {
      while (Character.isWhitespace(text.charAt(at))) at++;
      return text.charAt(at);
    }

    private void skip(char wanted) {
      require(peek() == wanted, "bad JSON at " + at + ": " + text);
      at++;
    }

    private boolean skipped(char wanted) {
      if (peek() != wanted) return false;
      at++;
      return true;
    }

    private Object word(String word, Object meaning) {
      require(text.startsWith(word, at), "bad JSON at " + at + ": " + text);
      at += word.length();
      return meaning;
    }

    private Map<String, Object> object() {
      Map<String, Object> members = new HashMap<>();
      skip('{');
      if (skipped('}')) return members;
      do {
        peek();
        String key = string();
        skip(':');
        members.put(key, value());
      } while (skipped(','));
      skip('}');
      return members;
    }

    private List<Object> array() {
      List<Object> items = new ArrayList<>();
      skip('[');
      if (skipped(']')) return items;
      do items.add(value());
      while (skipped(','));
      skip(']');
      return items;
    }

    private Double number() {
      int start = at;
      while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) at++;
      return Double.valueOf(text.substring(start, at));
    }

    private String string() {
      StringBuilder result = new StringBuilder();
      skip('"');
      while (text.charAt(at) != '"') {
        char next = text.charAt(at++);
        result.append(next == '\\' ? escaped() : next);
      }
      at++;
      return result.toString();
    }

    private char escaped() {
      char letter = text.charAt(at++);
      if (letter != 'u') return "\b\f\n\r\t\"\\/".charAt("bfnrt\"\\/".indexOf(letter));
      at += 4;
      return (char) Integer.parseInt(text.substring(at - 4, at), 16);
    }
  }
}
