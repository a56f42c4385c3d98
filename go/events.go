package barograph

import (
	"context"
	"iter"
	"time"
)

// All gives the events one by one: until the stream has ended, or (with Follow) until ctx is done,
// the stream is closed or the loop is left. An error comes last, with an empty event.
//
//	for event, err := range stream.All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(event.Kind, event.Subject)
//	}
func (s *EventStream) All(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			page, err := s.Next(ctx, 1000, time.Minute, nil)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, event := range page.Events {
				if !yield(event, nil) {
					return
				}
			}
			if page.Ended {
				return
			}
		}
	}
}
