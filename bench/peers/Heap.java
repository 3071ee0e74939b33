// SPDX-License-Identifier: MIT
// A heap of about N objects, alive until standard input ends: java Heap.java N
import java.util.ArrayList;

public class Heap {
    static class Item {
        Long number;
        String name;
        int[] parts = new int[1];

        Item(int i) {
            number = (long) i + 1000;
            name = "item-" + i;
        }
    }

    static ArrayList<Item> items = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        for (int i = 0; i < Integer.parseInt(args[0]) / 5; i++)
            items.add(new Item(i)); // itself, a Long, a String with its bytes, an array
        System.out.println("ready");
        System.in.read();
    }
}
