import { Observable, type OperatorFunction } from 'rxjs'
import type { InterceptionEvent } from './events.ts'
import type { RecordBody } from './records.ts'

/** Where an observer's records go. */
export interface Records {
  next(body: RecordBody): void
  /** Nothing more is to be seen. */
  complete(): void
}

type Make = (event: InterceptionEvent, records: Records) => void

/** Makes records of each event, none or many: an operator that a lane runs by itself, with no subscriptions between. */
export function toRecords(make: Make): OperatorFunction<InterceptionEvent, RecordBody> {
  return (events$) => new RecordsOf(events$, make)
}

/** An Observable like any other for those who subscribe. */
export class RecordsOf extends Observable<RecordBody> {
  readonly events$: Observable<InterceptionEvent>
  readonly make: Make

  constructor(events$: Observable<InterceptionEvent>, make: Make) {
    super((records) =>
      events$.subscribe({
        next: (event) => {
          try {
            make(event, records)
          } catch (error) {
            records.error(error)
          }
        },
        error: (error) => records.error(error),
        complete: () => records.complete(),
      }),
    )
    this.events$ = events$
    this.make = make
  }
}
