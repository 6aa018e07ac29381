package dev.kormorant.examples.load;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sends requests to a service from several threads, in a process of its own, and prints a line for each: when it was sent and answered
 * in milliseconds since the epoch, and the status, 0 for none. Three of four read, one writes. Ends when its standard input does,
 * or after as many requests as it may send.
 */
public final class LoadGenerator {
    private record Answer(long sent, long answered, int status) {}

    private LoadGenerator() {}

    public static void main(String[] arguments) throws Exception {
        var service = arguments[0];
        var threads = Integer.parseInt(arguments[1]);
        var limit = Integer.parseInt(arguments[2]);
        var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(20)).build();
        var numbers = new AtomicInteger();
        var answers = new ConcurrentLinkedQueue<Answer>();
        var workers = new ArrayList<Thread>();
        for (var worker = 0; worker < threads; worker++) {
            workers.add(new Thread(() -> {
                for (var number = numbers.incrementAndGet(); number <= limit; number = numbers.incrementAndGet()) {
                    answers.add(send(client, service, number));
                    if (number % 50 == 0) {
                        System.out.println("progress " + number);
                    }
                }
            }));
        }
        workers.forEach(Thread::start);
        new Thread(() -> {
            try {
                System.in.transferTo(java.io.OutputStream.nullOutputStream());
            } catch (IOException ended) {
                // The same as the end.
            }
            numbers.set(limit);
        }).start();
        for (var worker : workers) {
            worker.join();
        }
        for (var answer : answers) {
            System.out.println(answer.sent() + " " + answer.answered() + " " + answer.status());
        }
        System.out.println("end");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static Answer send(HttpClient client, String service, int number) {
        var sent = System.currentTimeMillis();
        var request = HttpRequest.newBuilder().timeout(Duration.ofSeconds(30));
        if (number % 4 == 0) {
            request.uri(URI.create(service + "/authors")).header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"name\":\"Author " + number + "\"}"));
        } else {
            request.uri(URI.create(service + "/authors?size=10"));
        }
        int status;
        try {
            status = client.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException lost) {
            status = 0;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            status = 0;
        }
        return new Answer(sent, System.currentTimeMillis(), status);
    }
}
