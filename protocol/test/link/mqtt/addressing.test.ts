import { silentLogger } from '@shoal/protocol';
import { createMqttDeviceLink, parseBrokerAddress, parseTopic, topicsOf } from '@shoal/protocol/mqtt';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { aCoordinator, aDevice } from '../../support/identities.ts';
import { refusalOf } from '../../support/refusals.ts';

describe('the address of a broker', () => {
  it.each([
    ['mqtt://host', { host: 'host', port: 1883, tls: false, text: 'host:1883' }],
    ['mqtts://host', { host: 'host', port: 8883, tls: true }],
    ['tcp://10.0.0.1:99', { host: '10.0.0.1', port: 99, tls: false }],
    ['mqtt://[::1]:1884', { host: '::1', port: 1884, text: '[::1]:1884' }],
    ['mqtt://me:p%40ss@host', { username: 'me', password: 'p@ss', text: 'host:1883' }],
    ['mqtt://me:%zz@host', { username: 'me', password: '%zz' }],
    ['mqtt://host', { webSocketPath: undefined, fingerprint: undefined }],
    ['ws://host', { port: 80, tls: false, webSocketPath: '/', text: 'host:80' }],
    ['wss://host:9/mqtt?x=1', { port: 9, tls: true, webSocketPath: '/mqtt?x=1', text: 'host:9' }],
    [`mqtts://host#sha256=${'AB'.repeat(32)}`, { fingerprint: 'ab'.repeat(32) }],
    [`wss://host/#sha256=${'AB:'.repeat(31)}AB`, { fingerprint: 'ab'.repeat(32) }],
  ])('%s is understood', (url, expected) => {
    expect(parseBrokerAddress(url)).toMatchObject(expected);
  });

  it.each([
    '',
    'host:1883',
    'http://host',
    'mqtt://',
    'mqtt:///x',
    'mqtt://user:secret@',
    // A pin that is not understood must not be passed over.
    'mqtts://host#sha256=abc',
    'mqtts://host#md5=abc',
    `mqtt://host#sha256=${'ab'.repeat(32)}`,
  ])('"%s" is refused', (url) => {
    expect(refusalOf(() => parseBrokerAddress(url))).toBe('input.invalid');
    expect(() => parseBrokerAddress(url)).toThrow(/^(?!.*secret)/);
  });
});

describe('a topic prefix', () => {
  it.each(['', '#', 'a/+/b', 'a//b', '/a', 'a/', 'a b', '$SYS'])('"%s" is refused', (prefix) => {
    const options = {
      url: 'mqtt://x',
      identity: aDevice,
      coordinator: aCoordinator.id,
      clock: new VirtualClock(),
      logger: silentLogger,
    };
    expect(refusalOf(() => createMqttDeviceLink({ ...options, prefix }))).toBe('input.invalid');
    expect(refusalOf(() => createMqttDeviceLink({ ...options, prefix: 'site-1/shoal' }))).toBeUndefined();
  });
});

describe('a topic', () => {
  it('says whose it is and which', () => {
    const { up, down, available } = topicsOf('a/b', aDevice.id);
    expect([up, down, available].map((topic) => parseTopic('a/b', topic))).toEqual([
      { device: aDevice.id, kind: 'up' },
      { device: aDevice.id, kind: 'down' },
      { device: aDevice.id, kind: 'available' },
    ]);
  });

  it.each([
    '',
    'shoal',
    'shoal/d/',
    'shoal/d/dev_x/up',
    `shoal/d/${aDevice.id}`,
    `shoal/d/${aDevice.id}/up/x`,
    `other/d/${aDevice.id}/up`,
    `shoal/d/${aCoordinator.id}/up`,
    `shoal/d/${aDevice.id}/`,
  ])('"%s" is none of ours', (topic) => {
    expect(parseTopic('shoal', topic)).toBeUndefined();
  });
});
