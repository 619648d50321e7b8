import Platform
import Synchronization
import Testing

struct ThreadTests {
    @Test func queueHandsEachElementToOneTakerOnly() {
        let queue = BoundedQueue<Int>(capacity: 3)
        let taken = Mutex<[Int]>([])
        let producers = (0..<4).map { producer in
            WorkerThread(name: "producer") {
                for number in 0..<2000 { #expect(queue.put(producer * 2000 + number)) }
            }
        }
        let consumers = (0..<3).map { _ in
            WorkerThread(name: "consumer") {
                var own: [Int] = []
                while let element = queue.take() { own.append(element) }
                for producer in 0..<4 {
                    let order = own.filter { $0 / 2000 == producer }
                    #expect(order == order.sorted())
                }
                taken.withLock { $0 += own }
            }
        }
        for producer in producers { producer.join() }
        queue.close()
        for consumer in consumers { consumer.join() }
        #expect(taken.withLock { $0 }.sorted() == Array(0..<8000))
    }

    @Test func closedQueueGivesWhatItHoldsAndTakesNoMore() {
        let queue = BoundedQueue<String>(capacity: 5)
        #expect(queue.put("a") && queue.put("b"))
        queue.close()
        #expect(!queue.put("c"))
        #expect(queue.take() == "a")
        #expect(queue.take() == "b")
        #expect(queue.take() == nil)
    }

    @Test func cancelReleasesWhoeverWaitsAndDropsTheRest() {
        let full = BoundedQueue<Int>(capacity: 1)
        let empty = BoundedQueue<Int>(capacity: 1)
        #expect(full.put(1))
        let putter = WorkerThread(name: "putter") { #expect(!full.put(2)) }
        let taker = WorkerThread(name: "taker") { #expect(empty.take() == nil) }
        SystemClock().sleep(nanoseconds: 20_000_000)
        full.cancel()
        empty.cancel()
        putter.join()
        taker.join()
        #expect(full.take() == nil)
        #expect(!full.put(3))
    }

    @Test func fullQueueHoldsThePutterBack() {
        let queue = BoundedQueue<Int>(capacity: 2)
        let put = Atomic<Int>(0)
        let putter = WorkerThread(name: "putter") {
            for number in 0..<5 where queue.put(number) {
                put.add(1, ordering: .sequentiallyConsistent)
            }
        }
        SystemClock().sleep(nanoseconds: 50_000_000)
        let count = put.load(ordering: .sequentiallyConsistent)
        #expect(count == 2)
        for number in 0..<5 { #expect(queue.take() == number) }
        putter.join()
    }

    @Test func joinedThreadHasRunToItsEnd() {
        let ended = Atomic<Bool>(false)
        let thread = WorkerThread(name: "a name longer than the fifteen bytes") {
            SystemClock().sleep(nanoseconds: 20_000_000)
            ended.store(true, ordering: .sequentiallyConsistent)
        }
        thread.join()
        let hasEnded = ended.load(ordering: .sequentiallyConsistent)
        #expect(hasEnded)
        thread.join()
    }
}
