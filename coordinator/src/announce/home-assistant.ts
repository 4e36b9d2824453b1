import type { CameraView } from '../domain/index.ts';
import type { Topics } from './topics.ts';

/** One retained message: what Home Assistant is told of an entity (home-assistant.io, MQTT discovery). */
export interface Discovery {
  readonly topic: string;
  /** JSON; empty: the entity is gone. */
  readonly payload: string;
}

/** What is counted of a camera that does not say what it looks for. */
const usualLabels: readonly string[] = ['person', 'car', 'dog', 'cat'];

/** Labels of things that a camera counts, as its parameters say. */
function labelsOf({ spec }: Pick<CameraView, 'spec'>): readonly string[] {
  const { labels } = spec.parameters;
  const named = Array.isArray(labels) ? labels.filter((label) => typeof label === 'string') : [];
  return named.length > 0 ? named : usualLabels;
}

/** The entities of one camera: motion, who is there, how many, a picture, a switch, rate and latency. */
export function discoveriesOf(camera: CameraView, topics: Topics, discoveryPrefix: string): readonly Discovery[] {
  const { id, spec } = camera;
  const state = topics.state(id);
  const common = {
    availability_topic: topics.available,
    device: { identifiers: [`shoal_${id}`], name: spec.name, manufacturer: 'Shoal', model: 'camera' },
  };
  const entity = (component: string, object: string, config: object): Discovery => ({
    topic: topicOf(discoveryPrefix, component, id, object),
    payload: JSON.stringify({
      ...common,
      unique_id: `shoal_${id}_${slug(object)}`,
      object_id: `${slug(spec.name)}_${slug(object)}`,
      ...config,
    }),
  });
  const reading = (template: string) => ({ state_topic: state, value_template: `{{ ${template} }}` });
  const onOff = (fact: string) => `'ON' if ${fact} else 'OFF'`;
  const diagnostic = { entity_category: 'diagnostic', state_class: 'measurement' };
  return [
    entity('binary_sensor', 'motion', {
      name: 'Motion',
      device_class: 'motion',
      ...reading(onOff('value_json.motion')),
    }),
    ...labelsOf(camera).flatMap((label) => {
      const count = `value_json.counts['${quoted(label)}'] | default(0)`;
      return [
        entity('binary_sensor', `${label} occupancy`, {
          name: `${titled(label)} occupancy`,
          device_class: 'occupancy',
          ...reading(onOff(`(${count}) > 0`)),
        }),
        entity('sensor', `${label} count`, {
          name: `${titled(label)} count`,
          state_class: 'measurement',
          ...reading(count),
        }),
      ];
    }),
    entity('camera', 'picture', { name: 'Picture', topic: topics.picture(id) }),
    entity('switch', 'enabled', {
      name: 'Enabled',
      command_topic: topics.enabledSet(id),
      ...reading(onOff('value_json.enabled')),
    }),
    entity('sensor', 'fps', {
      name: 'Frames per second',
      unit_of_measurement: 'fps',
      ...diagnostic,
      ...reading('value_json.fps'),
    }),
    entity('sensor', 'latency', {
      name: 'Latency',
      device_class: 'duration',
      unit_of_measurement: 'ms',
      ...diagnostic,
      ...reading('value_json.latency_p95_ms'),
    }),
  ];
}

function topicOf(prefix: string, component: string, camera: string, object: string): string {
  return `${prefix}/${component}/shoal_${camera}/${slug(object)}/config`;
}

/** Letters, digits and `_`: what a topic's level and an entity's id may have. */
function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_|_$/g, '') || 'x'
  );
}

/** Within quotes of a template. */
function quoted(text: string): string {
  return text.replace(/[\\'{}%]/g, ' ');
}

function titled(label: string): string {
  return label.charAt(0).toUpperCase() + label.slice(1);
}
