// The floor of an agent's start: node, MQTT.js, a connection and a subscription, nothing else.
import mqtt from 'mqtt';

const client = mqtt.connect(process.argv[2], { reconnectPeriod: 0 });
client.on('connect', () => client.subscribe('floor/#', () => process.stdout.write('joined\n')));
process.on('SIGTERM', () => client.end(true, () => process.exit(0)));
