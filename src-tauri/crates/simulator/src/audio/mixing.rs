//! Mixing: in a conference everyone hears everyone else.

use std::collections::BTreeMap;

use dialer_media::codec::{FRAME_SAMPLES, Frame, SILENCE};

use super::switch::PortId;

/// Names a conference at the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RoomId(pub(crate) u64);

/// A party's place in a conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) room: RoomId,
    /// The others hear it.
    pub(crate) speaks: bool,
    /// It hears the others.
    pub(crate) hears: bool,
    /// Only this one hears it.
    pub(crate) coaches: Option<PortId>,
}

type Sum = [i32; FRAME_SAMPLES];

/// What is said in all conferences in one turn of 20 ms.
#[derive(Default)]
pub(super) struct Mixing {
    rooms: BTreeMap<RoomId, Sum>,
    coached: BTreeMap<PortId, Sum>,
}

impl Mixing {
    /// Adds what a party says.
    pub(super) fn add(&mut self, seat: Seat, said: &Frame) {
        if !seat.speaks {
            return;
        }
        let sum = match seat.coaches {
            Some(coached) => self.coached.entry(coached).or_insert([0; FRAME_SAMPLES]),
            None => self.rooms.entry(seat.room).or_insert([0; FRAME_SAMPLES]),
        };
        for (sum, sample) in sum.iter_mut().zip(said) {
            *sum += i32::from(*sample);
        }
    }

    /// What a party hears: everyone but itself.
    pub(super) fn heard_by(&self, id: PortId, seat: Seat, said: &Frame) -> Frame {
        if !seat.hears {
            return SILENCE;
        }
        let mut sum = self.rooms.get(&seat.room).copied().unwrap_or([0; FRAME_SAMPLES]);
        if seat.speaks && seat.coaches.is_none() {
            for (sum, own) in sum.iter_mut().zip(said) {
                *sum -= i32::from(*own);
            }
        }
        for (sum, coach) in sum.iter_mut().zip(self.coached.get(&id).into_iter().flatten()) {
            *sum += coach;
        }
        sum.map(clipped)
    }

    /// What is said in a room, for its recording.
    pub(super) fn said_in(&self, room: RoomId) -> Frame {
        self.rooms.get(&room).map_or(SILENCE, |sum| sum.map(clipped))
    }
}

fn clipped(sample: i32) -> i16 {
    i16::try_from(sample).unwrap_or(if sample < 0 { i16::MIN } else { i16::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId(1);

    fn seat(speaks: bool, hears: bool) -> Seat {
        Seat { room: ROOM, speaks, hears, coaches: None }
    }

    /// What the parties hear who say 100, 200, 400 and so on.
    fn heard(seats: &[Seat]) -> Vec<i16> {
        let said: Vec<Frame> = (0..seats.len()).map(|index| [100 << index; FRAME_SAMPLES]).collect();
        let mut mixing = Mixing::default();
        for (seat, said) in seats.iter().zip(&said) {
            mixing.add(*seat, said);
        }
        let heard = |(index, (seat, said)): (usize, (&Seat, &Frame))| {
            mixing.heard_by(PortId::numbered(index as u64), *seat, said)[0]
        };
        seats.iter().zip(&said).enumerate().map(heard).collect()
    }

    #[test]
    fn everyone_hears_the_others() {
        assert_eq!(heard(&[seat(true, true); 3]), [600, 500, 300]);
    }

    #[test]
    fn the_muted_hear_and_those_on_hold_do_neither() {
        assert_eq!(heard(&[seat(true, true), seat(false, true), seat(false, false)]), [0, 100, 0]);
    }

    #[test]
    fn a_coach_is_heard_by_one_and_hears_all() {
        let coach = Seat { coaches: Some(PortId::numbered(0)), ..seat(true, true) };
        assert_eq!(heard(&[seat(true, true), seat(true, true), coach]), [600, 100, 300]);
    }

    #[test]
    fn other_rooms_are_not_heard_and_loud_ones_are_clipped() {
        let elsewhere = Seat { room: RoomId(2), ..seat(true, true) };
        assert_eq!(heard(&[seat(true, true), elsewhere]), [0, 0]);
        let mut mixing = Mixing::default();
        for _ in 0..3 {
            mixing.add(seat(true, true), &[i16::MIN; FRAME_SAMPLES]);
        }
        assert_eq!(mixing.said_in(ROOM)[0], i16::MIN);
        assert_eq!(mixing.heard_by(PortId::numbered(9), seat(false, true), &SILENCE)[0], i16::MIN);
    }
}
