/**
 * A Kalman filter of one coordinate that moves at an almost constant speed: its position and its speed, and how sure they are. Coordinates of a box
 * are filtered each on its own, since the noise of one says nothing about that of another.
 */
export class MovingCoordinate {
  /** Pixels; pixels a second. */
  position: number;
  speed = 0;
  #positionVariance: number;
  #covariance = 0;
  #speedVariance: number;

  /** How far off the first measurement and a speed of 0 may be: standard deviations. */
  constructor(position: number, positionNoise: number, speedNoise: number) {
    this.position = position;
    this.#positionVariance = positionNoise ** 2;
    this.#speedVariance = speedNoise ** 2;
  }

  /** Standard deviation of the position, pixels. */
  get uncertainty(): number {
    return Math.sqrt(this.#positionVariance);
  }

  /** Lets time go by. `acceleration` is the standard deviation of what changes the speed, pixels a second squared. */
  predict(seconds: number, acceleration: number): void {
    this.position += this.speed * seconds;
    const variance = acceleration ** 2;
    this.#positionVariance +=
      seconds * (2 * this.#covariance + seconds * this.#speedVariance) + (variance * seconds ** 4) / 4;
    this.#covariance += seconds * this.#speedVariance + (variance * seconds ** 3) / 2;
    this.#speedVariance += variance * seconds ** 2;
  }

  /** Takes in a measurement with its standard deviation, pixels. */
  correct(measured: number, noise: number): void {
    const difference = measured - this.position;
    const total = this.#positionVariance + noise ** 2;
    const positionGain = this.#positionVariance / total;
    const speedGain = this.#covariance / total;
    this.position += positionGain * difference;
    this.speed += speedGain * difference;
    this.#speedVariance -= speedGain * this.#covariance;
    this.#covariance *= 1 - positionGain;
    this.#positionVariance *= 1 - positionGain;
  }
}
