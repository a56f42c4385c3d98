package org.example.app;

import java.util.List;
import java.util.concurrent.*;
import static org.junit.Assert.assertEquals;

@Deprecated
public class Shape extends Base<Part> implements Runnable, java.io.Serializable {
    public static final int MAX = 3;
    private int size, depth;
    protected List<String> names = new ArrayList<>();

    public Shape(int size) { super(size); this.size = size; }

    @Override
    public void run() {
        int local = compute();
        names.forEach(System.out::println);
        new Thread(this::stop).start();
        Shape.help(local).more();
    }
    private void stop() {}
    enum Color { RED, GREEN; Color next() { return RED; } }
    interface Visitor { int LIMIT = 1; void visit(Shape shape); }
    record Point(int x, int y) { Point { check(x); } }
}
@interface Marker { String value() default ""; }
