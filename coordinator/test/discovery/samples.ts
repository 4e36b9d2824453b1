/** What avahi-daemon 0.8 answers to a question from another port than that of multicast DNS. */
export const aResponse = Buffer.from(
  [
    '000084000002000500000000055f72747370045f746370056c6f63616c00000c00010b5f617869732d766964656fc012000c0001c00c000c00010000000a000d0a446f6f722e2062656c6cc00c',
    'c040001000010000000a000f0e706174683d6c6976652f646f6f72c040002100010000000a000b00000000216a02766dc017',
    'c07a001c00010000000a0010fe80000000000000d8ba09fffed2f229c07a000100010000000a00040a4d0001',
  ].join(''),
  'hex',
);

/** What libcoap's coap-server 4.3.1 tells. */
export const someLinks =
  '</>;title="General Info";ct=0,</time>;if="clock";rt="ticks";title="Internal Clock";ct=0;obs,</async>;ct=0,</snapshot.jpg>;ct=22;title="Dynamic";obs';
