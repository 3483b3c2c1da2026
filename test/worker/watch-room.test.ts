import { coreActivities } from '../../worker/core-activities';
import { WATCH_SLOTS, WatchRooms } from '../../worker/watch-room';

const watcher = (numInFlightActivities: number) => ({ getStatus: () => ({ numInFlightActivities }) });

describe('room for watches', () => {
  it('is 1,000 for each queue of watches, less what is watched there', () => {
    expect(WATCH_SLOTS).toBe(1_000);
    const rooms = new WatchRooms();
    rooms.add('hitless-watch', watcher(3));
    rooms.add('hitless-dc1-watch', watcher(0));
    expect(rooms.of('hitless-watch')).toEqual({ slots: 1_000, free: 997 });
    expect(rooms.of('hitless-dc1-watch')).toEqual({ slots: 1_000, free: 1_000 });
  });

  it('is never less than none', () => {
    const rooms = new WatchRooms(2);
    rooms.add('q', watcher(3));
    expect(rooms.of('q')).toEqual({ slots: 2, free: 0 });
  });

  it('is told to the core; null where this process doesn’t watch', async () => {
    const rooms = new WatchRooms(50);
    rooms.add('hitless-watch', watcher(50));
    const { 'core.watchRoom': room } = coreActivities({ watchRoom: (queue) => rooms.of(queue) });
    expect(await room({ queue: 'hitless-watch' })).toEqual({ slots: 50, free: 0 });
    expect(await room({ queue: 'another-watch' })).toBeNull();
    expect(await coreActivities({})['core.watchRoom']({ queue: 'hitless-watch' })).toBeNull();
  });
});
